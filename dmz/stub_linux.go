// SPDX-License-Identifier: MIT

package dmz

import (
	"embed"
	"errors"
	"fmt"
	"hash/maphash"
	"os"
	"runtime"
	"sync"
	"syscall"
)

// The stubs of dmz/_dmz.c, a file for each GOARCH. stubs/MANIFEST tells what they were built with.
//
//go:embed stubs
var stubs embed.FS

// ErrNoStub says that there is no stub for this GOARCH. What goes through a stub can then go direct.
var ErrNoStub = errors.New("dmz: no stub for " + runtime.GOARCH)

// NoStub stands for the descriptor of a stub, which is never 0: the route is direct.
const NoStub = 0

// What a process is called while it is the stub, from Linux 6.14 on. A target that goes through a stub of its own must not
// be taken for one that never left ours; and it is another process, so one name for all that this one makes will do.
// It is as long as the name of a process can be.
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
		var hash maphash.Hash // of nothing, by a seed that is random
		random := hash.Sum64()
		own.name = namePrefix
		for len(own.name) < nameLength {
			own.name += digits[random&63:][:1]
			random >>= 6
		}
	}
	return own.name
}

// Stub makes a sealed copy of the stub in memory. It serves any number of children, one after the other or at once; for
// containers, make one for each.
//
// It is a memfd of mode 0511, sealed against every change of its bytes and, from Linux 6.3 on, of its x bits. But root in a
// container that catches its process while it is the stub can keep others from executing the same one. The worst result is a
// failure of the step [StepStub], and only for children that share this stub.
//
// The file is close-on-exec. Errors: [ErrNoStub], or that of a system call: ENOSYS before Linux 3.17, EACCES where the
// sysctl vm.memfd_noexec is 2.
func Stub() (*os.File, error) {
	image, err := imageFor(runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	fd, err := makeMemfd()
	if err != nil {
		return nil, err
	}
	if err := fillAndSeal(fd, image); err != nil {
		syscall.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "dmz"), nil
}

func imageFor(goarch string) ([]byte, error) {
	image, err := stubs.ReadFile("stubs/" + goarch)
	if err != nil {
		return nil, ErrNoStub
	}
	return image, nil
}

func makeMemfd() (int, error) {
	name := makeOwnName()[len("memfd:"):] // which the kernel puts in front
	fd, errno := memfdCreate(name, mfdCloexec|mfdAllowSealing|mfdExec)
	if errno == syscall.EINVAL {
		fd, errno = memfdCreate(name, mfdCloexec|mfdAllowSealing)
	}
	if errno != 0 {
		return -1, os.NewSyscallError("memfd_create", errno)
	}
	return aboveStderr(fd)
}

// The mode comes first: F_SEAL_EXEC keeps it as it is.
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

// Pipe makes the pipe for one report: r to read, w for the process that execs. Both are close-on-exec.
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
	// So that a goroutine waits for it, and not a thread. The writer must not see a pipe that takes nothing.
	if err := syscall.SetNonblock(fd[0], true); err != nil {
		syscall.Close(fd[0])
		syscall.Close(fd[1])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd[0]), "report"), os.NewFile(uintptr(fd[1]), "report"), nil
}
