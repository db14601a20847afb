// SPDX-License-Identifier: MIT

package dmz

import (
	"embed"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

// The stubs of dmz/_dmz.c, one file per GOARCH. stubs/MANIFEST lists the tools and headers that they were built with.
//
//go:embed stubs
var stubs embed.FS

// ErrNoStub means that the package has no stub for this GOARCH. The direct route is still possible.
var ErrNoStub = errors.New("dmz: no stub for " + runtime.GOARCH)

// NoStub takes the place of a stub's descriptor, which is never 0: the route is direct.
const NoStub = 0

// The name of a process while it is the stub, from Linux 6.14 on. A target that goes through a stub of its own must not be
// mistaken for one that never left ours. Such a target is another process, so one name for all stubs of this process is
// enough. It is as long as the name of a process can be.
const (
	namePrefix = "memfd:dmz-"
	nameLength = 15
)

var own struct {
	sync.Mutex
	name string // "" until the first stub is made
}

func ownName() string {
	own.Lock()
	defer own.Unlock()
	return own.name
}

func makeOwnName() string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"
	own.Lock()
	defer own.Unlock()
	if own.name == "" {
		var hash maphash.Hash // the hash of nothing, with a random seed
		random := hash.Sum64()
		own.name = namePrefix
		for len(own.name) < nameLength {
			own.name += digits[random&63:][:1]
			random >>= 6
		}
	}
	return own.name
}

// Stub makes a sealed copy of the stub in memory. It serves any number of children, one after another or at once. For
// containers, make one for each.
//
// It is a memfd of mode 0511, sealed against every change of its bytes and, from Linux 6.3 on, of its x bits. But root in a
// container can reach it through /proc/PID/exe while a process of that container is the stub, and can then keep others from
// executing it. The worst result is a failure of the step [StepStub], and only for children that share this stub.
//
// The file is close-on-exec. Errors: [ErrNoStub], or that of a system call: ENOSYS before Linux 3.17, EACCES where the
// sysctl vm.memfd_noexec is 2.
func Stub() (*os.File, error) {
	fd, err := plainStub()
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "dmz"), nil
}

func plainStub() (int, error) {
	image, err := imageFor(runtime.GOARCH)
	if err != nil {
		return -1, err
	}
	return sealed(image)
}

func sealed(image []byte) (int, error) {
	fd, err := makeMemfd()
	if err != nil {
		return -1, err
	}
	if err := fillAndSeal(fd, image); err != nil {
		syscall.Close(fd)
		return -1, err
	}
	return fd, nil
}

func imageFor(goarch string) ([]byte, error) {
	image, err := stubs.ReadFile("stubs/" + goarch)
	if err != nil {
		return nil, ErrNoStub
	}
	return image, nil
}

func makeMemfd() (int, error) {
	name := makeOwnName()[len("memfd:"):] // the kernel adds that prefix
	fd, errno := memfdCreate(name, mfdCloexec|mfdAllowSealing|mfdExec)
	if errno == syscall.EINVAL {
		fd, errno = memfdCreate(name, mfdCloexec|mfdAllowSealing)
	}
	if errno != 0 {
		return -1, os.NewSyscallError("memfd_create", errno)
	}
	return aboveStderr(fd)
}

// Set the mode first: F_SEAL_EXEC makes it permanent.
func fillAndSeal(fd int, image []byte) error {
	const seals = fSealSeal | fSealShrink | fSealGrow | fSealWrite
	n, err := syscall.Write(fd, image)
	if err != nil {
		return os.NewSyscallError("write", err)
	}
	if n != len(image) {
		return fmt.Errorf("dmz: wrote %d bytes of %d of the stub", n, len(image))
	}
	if err := syscall.Fchmod(fd, 0o511); err != nil {
		return os.NewSyscallError("fchmod", err)
	}
	_, errno := fcntl(fd, fAddSeals, seals|fSealExec)
	if errno == syscall.EINVAL {
		_, errno = fcntl(fd, fAddSeals, seals)
	}
	if errno != 0 {
		return os.NewSyscallError("fcntl", errno)
	}
	return nil
}

// A sharedStub is the stub of all children of Start. Its descriptor is above those of most children, and low enough for the kernel's
// smallest table of descriptors.
type sharedStub struct {
	fd       int
	dev, ino uint64
	users    int
	spoiled  bool
}

const sharedNumber = 32

var shared struct {
	sync.Mutex
	stub *sharedStub
}

// BorrowStub returns the stub of this process, which stays open until it is given back.
func borrowStub() (*sharedStub, error) {
	shared.Lock()
	defer shared.Unlock()
	if shared.stub == nil || !shared.stub.isOpen() {
		stub, err := newSharedStub()
		if err != nil {
			return nil, err
		}
		shared.stub = stub
	}
	shared.stub.users++
	return shared.stub, nil
}

// GiveBack also makes a stub that did not start the last of its kind: somebody keeps it from being executed.
func (s *sharedStub) giveBack(spoiled bool) {
	shared.Lock()
	defer shared.Unlock()
	s.users--
	s.spoiled = s.spoiled || spoiled
	if !s.spoiled {
		return
	}
	if shared.stub == s {
		shared.stub = nil
	}
	if s.users == 0 && s.isOpen() {
		syscall.Close(s.fd)
	}
}

// IsOpen: is the descriptor still the stub's? Some programs close all descriptors that they do not know.
func (s *sharedStub) isOpen() bool {
	var st syscall.Stat_t
	return syscall.Fstat(s.fd, &st) == nil && uint64(st.Dev) == s.dev && uint64(st.Ino) == s.ino
}

func newSharedStub() (*sharedStub, error) {
	fd, err := plainStub()
	if err != nil {
		return nil, err
	}
	if above, err := dupAbove(fd, sharedNumber); err == nil {
		syscall.Close(fd)
		fd = above
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		syscall.Close(fd)
		return nil, os.NewSyscallError("fstat", err)
	}
	return &sharedStub{fd: fd, dev: uint64(st.Dev), ino: uint64(st.Ino)}, nil
}

// The names that processes have had while they were the stub of a child of Start: the numbers of its descriptors.
var stubNames sync.Map

func rememberName(fd int) string {
	name := strconv.Itoa(fd)
	if _, known := stubNames.Load(name); !known {
		stubNames.Store(name, nil)
	}
	return name
}

// Pipe makes the pipe for one report: r for the reader, w for the process that execs. Both are close-on-exec.
//
// The reader sees end of file only when the last copy of w is gone: close it in the parent once the child has it, and let
// no other child keep it.
func Pipe() (r, w *os.File, err error) {
	var fd [2]int
	if err := syscall.Pipe2(fd[:], syscall.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	for i := range fd {
		if fd[i], err = aboveStderr(fd[i]); err != nil {
			syscall.Close(fd[1-i])
			return nil, nil, err
		}
	}
	// The read end is non-blocking, so that a goroutine waits for it and not a thread. The write end blocks: no record
	// may get lost.
	if err := syscall.SetNonblock(fd[0], true); err != nil {
		syscall.Close(fd[0])
		syscall.Close(fd[1])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd[0]), "report"), os.NewFile(uintptr(fd[1]), "report"), nil
}
