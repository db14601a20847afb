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

// Exec replaces this process with the program path, or writes the reason for the failure to report.
//
// stub is the descriptor of the file that [Stub] returned, of any other copy of dmz, or [NoStub]. It should be close-on-exec,
// or the program inherits it. path is the file to exec and argv[0] the name that the program sees; PATH is not searched. A
// path below /proc/self or /dev/fd means something else once the stub has been exec'd: give NoStub for such a path.
//
// If the exec of the program would fail as that of the stub did, the report is that of the program: EAGAIN, ENOMEM, and E2BIG
// for a string or a total that is over the limit by itself. The stub adds three arguments. A command line within 60 bytes of
// the limit is too long only for the stub: that is E2BIG in the step [StepStub].
//
// The descriptor numbers do not keep their [os.File] values alive: call runtime.KeepAlive on both after Exec, or the garbage
// collector may close them first. Close everything else before, or mark it close-on-exec. The stub is exec'd by execveat(2).
// If that is refused with EPERM, ENOSYS or no errno, as seccomp filters do, it is exec'd as /proc/self/fd/N, if that is procfs.
//
// A stub that is not open, such as that of an [os.File] that is nil or closed, is EBADF, even with Fallback. A stub that is 1
// or 2, a standard stream, is EINVAL.
//
// Like [syscall.Exec] it returns only on failure, with an [*Error] that holds the report; then exit. Two errors are not in the
// report: report is not open for writing (EBADF), and unknown flags (EINVAL).
func Exec(stub, report int, flags Flags, path string, argv, envv []string) error {
	if flags&^Fallback != 0 {
		return fmt.Errorf("dmz: unknown flags %#x: %w", uint(flags), syscall.EINVAL)
	}
	// Meanwhile no other goroutine may start a process, which would get a copy of the report.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()

	errno := setCloseOnExec(report)
	if errno == syscall.EBADF || !isWritable(report) {
		return fmt.Errorf("dmz: the report, descriptor %d, is not open for writing: %w", report, syscall.EBADF)
	}
	if errno != 0 {
		return fail(report, StepFcntl, errno, path)
	}
	if hasNul(path) || hasNul(argv...) || hasNul(envv...) {
		return fail(report, StepExec, syscall.EINVAL, path)
	}
	if stub != NoStub {
		step, errno := execStub(stub, report, path, argv, envv)
		if step == StepStub && targetFailsAlike(errno, path, argv, envv) {
			step = StepExec
		}
		// A path that is too long to be the stub's argument is also one that execve(2) refuses before it opens anything.
		isTooLong := errno == syscall.E2BIG && len(path) >= pathMax
		// A mistake of the caller's must not pass for a reason to do without the stub.
		isMistake := errno == syscall.EBADF || isStandardStream(stub)
		if !isTooLong && (isMistake || flags&Fallback == 0) {
			return fail(report, step, errno, path)
		}
	}
	return fail(report, StepExec, errnoOf(syscall.Exec(path, argv, envv)), path)
}

func isStandardStream(fd int) bool {
	return fd >= 0 && fd <= 2
}

// The read end of the pipe is not: a caller may have mixed up the two ends.
func isWritable(fd int) bool {
	flags, errno := fcntl(fd, syscall.F_GETFL, 0)
	return errno != 0 || flags&syscall.O_ACCMODE != syscall.O_RDONLY && flags&oPath == 0
}

// A seccomp(2) filter may know only one of the two calls.
func setCloseOnExec(fd int) syscall.Errno {
	errno := setCloexec(fd, syscall.FD_CLOEXEC)
	if errno != 0 {
		if _, _, failed := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), fioclex, 0); failed == 0 {
			return 0
		}
	}
	return errno
}

// EAGAIN is the limit of processes. E2BIG is the stub's only if the command line would fit without the stub's own arguments.
func targetFailsAlike(errno syscall.Errno, path string, argv, envv []string) bool {
	return errno == syscall.EAGAIN || errno == syscall.ENOMEM || errno == syscall.E2BIG && tooBig(path, argv, envv)
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

// Returns only on failure, with the step that failed; report is then close-on-exec.
func execStub(stub, report int, path string, argv, envv []string) (step uint16, errno syscall.Errno) {
	if stub < 0 {
		return StepStub, syscall.EBADF
	}
	if isStandardStream(stub) {
		return StepStub, syscall.EINVAL
	}
	// A seccomp(2) filter that refuses this would also refuse the stub's own fcntl(2), which has no replacement.
	if errno := setCloexec(report, 0); errno != 0 {
		return StepFcntl, errno
	}
	args := stubArgs(report, path, argv)
	errno = execveat(stub, args, envv)
	if isMissing(errno) && hasProc() {
		errno = errnoOf(syscall.Exec(descriptorPath(stub), args, envv))
	}
	setCloexec(report, syscall.FD_CLOEXEC)
	return StepStub, errno
}

// Before Linux 3.19, under qemu-user, and where a seccomp(2) filter knows only execve(2): such filters answer EPERM or 0.
func isMissing(errno syscall.Errno) bool {
	return errno == syscall.ENOSYS || errno == syscall.EPERM || errno == 0
}

// In the root of a container, /proc may be a plain directory of the image, and the path may name a file in it.
func hasProc() bool {
	const procSuperMagic = 0x9fa0 // linux/magic.h
	var fs syscall.Statfs_t
	return syscall.Statfs("/proc/self/fd", &fs) == nil && fs.Type == procSuperMagic
}

// Execveat does what syscall.Exec does for execve(2), which is not open to others.
func execveat(fd int, argv, envv []string) syscall.Errno {
	if sys.execveat == none {
		return syscall.ENOSYS
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

	// Go raises the soft limit of descriptors when it starts, and later versions lower it again in syscall.Exec. "" is never found.
	syscall.Exec("", []string{"dmz"}, nil)
	/*
	 * During an exec a clone(2) for a new thread fails with EAGAIN, which can end the program (golang/go#18146). The runtime
	 * starts threads only for processors (P) that are free, and there are none if this thread has the only one: a raw system call
	 * keeps it.
	 */
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	_, _, errno := syscall.RawSyscall6(sys.execveat, uintptr(fd), uintptr(unsafe.Pointer(&empty[0])),
		uintptr(unsafe.Pointer(&argvp[0])), uintptr(unsafe.Pointer(&envvp[0])), atEmptyPath, 0)
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
	return failure(path, ownMachine, step, uint16(errno))
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
