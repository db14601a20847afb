// SPDX-License-Identifier: MIT

package dmz

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const none = ^uintptr(0)

// NumberOf returns the number of a system call on this machine, for those that package syscall lacks on some GOARCHes. A missing
// one gives ENOSYS.
func numberOf(c call) uintptr {
	column, ok := callColumns[runtime.GOARCH]
	if !ok || callNumbers[c][column] == 0 {
		return none
	}
	return uintptr(callNumbers[c][column])
}

// From linux/fcntl.h, linux/limits.h, linux/memfd.h, linux/prctl.h and linux/wait.h.
const (
	atEmptyPath = 0x1000
	oPath       = 0x200000
	pathMax     = 4096 // PATH_MAX, with the NUL

	fAddSeals     = 1033
	fSealSeal     = 0x01
	fSealShrink   = 0x02
	fSealGrow     = 0x04
	fSealWrite    = 0x08
	fSealExec     = 0x20 // Linux 6.3
	fDupfdCloexec = 1030

	mfdCloexec      = 0x01
	mfdAllowSealing = 0x02
	mfdExec         = 0x10 // Linux 6.3

	prGetSecurebits   = 27
	prCapbsetRead     = 23
	prGetNoNewPrivs   = 39
	prCapAmbient      = 47
	prCapAmbientIsSet = 1

	pPid    = 1
	wNowait = 0x01000000
	wExited = 0x00000004
	wAll    = 0x40000000
)

var atFdcwd = -100 // linux/fcntl.h

func fcntl(fd int, command, argument uintptr) (int, syscall.Errno) {
	ret, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), command, argument)
	return int(ret), errno
}

func setCloexec(fd int, flag uintptr) syscall.Errno {
	_, errno := fcntl(fd, syscall.F_SETFD, flag)
	return errno
}

// From asm/ioctls.h.
var fioclex = func() uintptr {
	switch runtime.GOARCH {
	case "mips", "mips64", "mips64le", "mipsle":
		return 0x6601
	case "ppc64", "ppc64le":
		return 0x20006601
	}
	return 0x5451
}()

// DupAbove returns a copy of fd that is close-on-exec and not below min.
func dupAbove(fd, min int) (int, error) {
	dup, errno := fcntl(fd, fDupfdCloexec, uintptr(min))
	if errno != 0 {
		return -1, os.NewSyscallError("fcntl", errno)
	}
	return dup, nil
}

// AboveStderr moves a descriptor that has the number of a standard stream: the program would inherit it as that stream.
func aboveStderr(fd int) (int, error) {
	if fd > 2 {
		return fd, nil
	}
	moved, err := dupAbove(fd, 3)
	syscall.Close(fd)
	return moved, err
}

func memfdCreate(name string, flags uintptr) (int, syscall.Errno) {
	p, err := syscall.BytePtrFromString(name)
	if err != nil {
		return -1, syscall.EINVAL
	}
	fd, _, errno := syscall.Syscall(numberOf(sysMemfdCreate), uintptr(unsafe.Pointer(p)), flags, 0)
	return int(fd), errno
}

// OpenPidfd returns -1 before Linux 5.3. The descriptor is close-on-exec.
func openPidfd(pid int) int {
	fd, _, errno := syscall.Syscall(numberOf(sysPidfdOpen), uintptr(pid), 0, 0)
	if errno != 0 {
		return -1
	}
	return int(fd)
}

// From asm-generic/poll.h.
type pollFD struct {
	fd              int32
	events, revents int16
}

const pollIn = 1

// Poll ignores negative descriptors. A negative timeout means none.
func poll(fds []pollFD, timeout time.Duration) syscall.Errno {
	for {
		var limit *syscall.Timespec
		if timeout >= 0 {
			t := syscall.NsecToTimespec(int64(timeout))
			limit = &t
		}
		_, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), uintptr(len(fds)),
			uintptr(unsafe.Pointer(limit)), 0, 0, 0)
		if errno != syscall.EINTR {
			return errno
		}
	}
}

func readFD(fd int, bytes []byte) (n int, err error) {
	for {
		n, err = syscall.Read(fd, bytes)
		if err != syscall.EINTR {
			return n, os.NewSyscallError("read", err)
		}
	}
}

func descriptorPath(fd int) string {
	return "/proc/self/fd/" + strconv.Itoa(fd)
}
