// SPDX-License-Identifier: MIT

package dmz

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// Flags of [Exec].
type Flags uint

// Fallback makes [Exec] go direct if the stub cannot be exec'd, instead of reporting that. It gives up what the stub is good
// for, and whoever picks the arguments can provoke it (E2BIG), so it is not for a runtime that starts what others bring.
const Fallback Flags = 1

// Exec makes of this process the program path with argv and envv, or reports to the descriptor report why not.
//
// stub is the descriptor of what [Stub] has returned, of any other copy of dmz, or [NoStub]. It should be close-on-exec, or
// the program inherits it. path is the file to exec and argv[0] the name that the program sees; there is no search along
// PATH. A path below /proc/self or /dev/fd means something else once the stub has been exec'd: give NoStub for such a path.
// The stub adds three arguments, so a command line within 60 bytes of the limit fails with E2BIG.
//
// A number does not keep an [os.File] open: have runtime.KeepAlive on both behind the call, or the garbage collector may close
// them before it. Close everything else first, or mark it close-on-exec. The stub is found by way of /proc/self/fd, or without a /proc by
// execveat(2), which a seccomp filter then has to let pass.
//
// Like [syscall.Exec] it returns only on failure, with an [*Error] that says what has been reported; exit then. Two errors are
// not in the report: report is not open (EBADF), and flags that are unknown (EINVAL).
func Exec(stub, report int, flags Flags, path string, argv, envv []string) error {
	if flags&^Fallback != 0 {
		return fmt.Errorf("dmz: unknown flags %#x: %w", uint(flags), syscall.EINVAL)
	}
	// Meanwhile no other goroutine may start a process, which would get a copy of the report.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()

	if errno := setCloexec(report, syscall.FD_CLOEXEC); errno == syscall.EBADF {
		return fmt.Errorf("dmz: the report, descriptor %d, is not open: %w", report, errno)
	} else if errno != 0 {
		return fail(report, StepFcntl, errno, path)
	}
	if hasNul(path) || hasNul(argv...) || hasNul(envv...) {
		return fail(report, StepExec, syscall.EINVAL, path)
	}
	if stub != NoStub {
		errno := execStub(stub, report, path, argv, envv)
		if flags&Fallback == 0 {
			return fail(report, StepStub, errno, path)
		}
	}
	return fail(report, StepExec, errnoOf(syscall.Exec(path, argv, envv)), path)
}

func hasNul(strs ...string) bool {
	for _, s := range strs {
		if strings.IndexByte(s, 0) >= 0 {
			return true
		}
	}
	return false
}

// What syscall.Exec returns is an errno, which is 0 if the kernel refused without one.
func errnoOf(err error) syscall.Errno {
	errno, ok := err.(syscall.Errno)
	if !ok {
		return syscall.EINVAL
	}
	return errno
}

// StubArgs are the arguments of dmz, whatever it is called: FD PATH ARGV0 [ARG...]. The program has an argv[0] in any case,
// as execve(2) itself sees to from Linux 5.18 on.
func stubArgs(report int, path string, argv []string) []string {
	if len(argv) == 0 {
		argv = []string{""}
	}
	return append([]string{"dmz", strconv.Itoa(report), path}, argv...)
}

// Returns only on failure; report is then close-on-exec. By syscall.Exec if that is possible: it knows what else the
// runtime has to do before an exec.
func execStub(stub, report int, path string, argv, envv []string) syscall.Errno {
	if stub < 0 {
		return syscall.EBADF
	}
	args := stubArgs(report, path, argv)
	name := descriptorPath(stub)
	if !hasProc() {
		name = "" // no file has that one
	}
	setCloexec(report, 0)
	errno := errnoOf(syscall.Exec(name, args, envv))
	if errno == syscall.ENOENT {
		errno = execveat(stub, args, envv)
	}
	setCloexec(report, syscall.FD_CLOEXEC)
	return errno
}

// In the root of a container /proc may be what its image brings, and name a file of that.
func hasProc() bool {
	const procSuperMagic = 0x9fa0 // linux/magic.h
	var fs syscall.Statfs_t
	return syscall.Statfs("/proc/self/fd", &fs) == nil && fs.Type == procSuperMagic
}

// For a process without a /proc.
func execveat(fd int, argv, envv []string) syscall.Errno {
	if sys.execveat == none {
		return syscall.ENOENT
	}
	argvp, err := syscall.SlicePtrFromStrings(argv)
	if err != nil {
		return syscall.EINVAL
	}
	envvp, err := syscall.SlicePtrFromStrings(envv)
	if err != nil {
		return syscall.EINVAL
	}
	empty := []byte{0}
	_, _, errno := syscall.RawSyscall6(sys.execveat, uintptr(fd), uintptr(unsafe.Pointer(&empty[0])),
		uintptr(unsafe.Pointer(&argvp[0])), uintptr(unsafe.Pointer(&envvp[0])), atEmptyPath, 0)
	runtime.KeepAlive(empty)
	if errno == syscall.ENOSYS {
		return syscall.ENOENT // what /proc/self/fd has said
	}
	return errno
}

// Fail reports that a step of the caller's own failed, between fork and exec: chdir, setuid, a mount. step is [StepCaller] plus a
// number of the caller's choice, up to 32766. Write one report only, and exit then.
//
// Errors: EINVAL, step or errno is out of range; those of write(2), with EPIPE if the reader is gone; EIO, the descriptor took
// a part of it, so it is no pipe.
func Fail(report int, step uint16, errno syscall.Errno) error {
	if step < StepCaller || step > stepCallerLast || errno == 0 || errno > maxErrno {
		return fmt.Errorf("dmz: step %#x with errno %d: %w", step, errno, syscall.EINVAL)
	}
	return writeRecord(report, step, errno)
}

// Report a failure, and return the error that its reader is going to see.
func fail(report int, step uint16, errno syscall.Errno, path string) error {
	if errno > maxErrno {
		errno = 0
	}
	writeRecord(report, step, errno)
	return failure(step, errno, path)
}

func failure(step uint16, errno syscall.Errno, path string) *Error {
	e := &Error{Verdict: SetupFailed, Path: path, Errno: errno, Raw: int(errno), Machine: ownMachine, Step: step, Status: StatusUnknown}
	if step == StepExec {
		e.Verdict = ExecFailed
	}
	return e
}

// The record, as docs/protocol.md specifies it.
const (
	recordSize = 16
	magic      = 'd' | 'm'<<8 | 'z'<<16 | 1<<24
	maxErrno   = 4095 // include/linux/err.h
)

func writeRecord(report int, step uint16, errno syscall.Errno) error {
	var record [recordSize]byte
	binary.LittleEndian.PutUint32(record[0:], magic)
	binary.LittleEndian.PutUint16(record[4:], ownMachine)
	binary.LittleEndian.PutUint16(record[6:], step)
	binary.LittleEndian.PutUint32(record[8:], uint32(errno))
	n, err := syscall.Write(report, record[:])
	if err == nil && n != recordSize {
		err = syscall.EIO
	}
	return os.NewSyscallError("write", err)
}
