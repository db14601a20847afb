// SPDX-License-Identifier: MIT

package dmz

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

// System calls that package syscall lacks on some GOARCHes. A missing number gives ENOSYS.
type numbers struct{ memfdCreate, execveat, openat2 uintptr }

const none = ^uintptr(0)

var sys = func() numbers {
	switch runtime.GOARCH {
	case "386":
		return numbers{356, 358, 437}
	case "amd64":
		return numbers{319, 322, 437}
	case "arm":
		return numbers{385, 387, 437}
	case "arm64", "loong64", "riscv64":
		return numbers{279, 281, 437}
	case "mips", "mipsle":
		return numbers{4354, 4356, 4437}
	case "mips64", "mips64le":
		return numbers{5314, 5316, 5437}
	case "ppc64", "ppc64le":
		return numbers{360, 362, 437}
	case "s390x":
		return numbers{350, 354, 437}
	}
	return numbers{none, none, none}
}()

// From linux/fcntl.h, linux/limits.h, linux/memfd.h, linux/prctl.h and linux/wait.h.
const (
	atEmptyPath = 0x1000
	atFdcwd     = ^uintptr(99) // -100
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
	if sys.memfdCreate == none {
		return -1, syscall.ENOSYS
	}
	p, err := syscall.BytePtrFromString(name)
	if err != nil {
		return -1, syscall.EINVAL
	}
	fd, _, errno := syscall.Syscall(sys.memfdCreate, uintptr(unsafe.Pointer(p)), flags, 0)
	return int(fd), errno
}

func descriptorPath(fd int) string {
	return "/proc/self/fd/" + strconv.Itoa(fd)
}

// The calls for 32-bit ids, on GOARCHes that also have 16-bit ones.
var sysSetfsuid, sysSetfsgid = func() (uintptr, uintptr) {
	switch runtime.GOARCH {
	case "386", "arm":
		return 215, 216
	}
	return syscall.SYS_SETFSUID, syscall.SYS_SETFSGID
}()
