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

// Fallback makes [Exec] go direct if the stub cannot be exec'd, instead of reporting that. A fallback gives up the stub's
// protection, and anyone who controls the arguments can force one (E2BIG). It is not for a runtime that starts untrusted
// images.
const Fallback Flags = 1

// Exec replaces this process with the program path, or writes the reason for the failure to report.
//
// stub is the descriptor of the file that [Stub] or [Setup.Stub] returned, of any other copy of dmz, or [NoStub]. It should be
// close-on-exec; otherwise the program inherits it. path is the file to exec and argv[0] the name that the program sees;
// PATH is not searched. A path below /proc/self or /dev/fd means something else once the stub has been exec'd: pass NoStub
// for such a path.
//
// If the exec of the stub fails and that of the program would fail in the same way, the program's failure is reported. This
// holds for EAGAIN, ENOMEM, and E2BIG for a string or a total that exceeds the limit by itself. The stub adds three
// arguments. A command line within 60 bytes of the limit is therefore too long only for the stub. That is reported as E2BIG in
// the step [StepStub].
//
// The descriptor numbers do not keep their [os.File] values alive: call runtime.KeepAlive on both after Exec, or the garbage
// collector may close them first. Before Exec, close all other descriptors, or mark them close-on-exec.
//
// The stub is exec'd by execveat(2). If that fails with EPERM, ENOSYS or no errno, which seccomp filters return, the stub is
// exec'd as /proc/self/fd/N, if /proc is procfs.
//
// A stub that is not open, for example that of a nil or closed [os.File], fails with EBADF, even with Fallback. A stub of 1 or
// 2, a standard stream, fails with EINVAL. A stub with a setup has no fallback either.
//
// Like [syscall.Exec] it returns only on failure, with an [*Error] that holds the report; then exit. Two errors are not in
// the report: EBADF if report is not open for writing, and EINVAL for unknown flags.
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
		if flags&Fallback != 0 && mayHaveSetup(stub) {
			flags = 0
		}
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

// MayHaveSetup: does this stub carry a setup, or may it carry one, because a seccomp(2) filter hides that? A closed descriptor, a
// pipe or an unreadable file counts as a stub without a setup.
func mayHaveSetup(stub int) bool {
	has, errno := hasActions(stub)
	if errno == syscall.EBADF { // O_PATH; but the file may be readable
		has, errno = hasActionsAgain(stub)
	}
	switch errno {
	case 0, syscall.EBADF, syscall.ESPIPE, syscall.EACCES, syscall.ENOENT:
		return has
	}
	return true
}

func hasActions(fd int) (bool, syscall.Errno) {
	head := make([]byte, 256)
	n, err := syscall.Pread(fd, head, 0)
	if err != nil {
		return false, errnoOf(err)
	}
	return imageHasActions(head[:n]), 0
}

// Open no device, because that can have an effect.
func hasActionsAgain(stub int) (bool, syscall.Errno) {
	var st syscall.Stat_t
	if err := syscall.Fstat(stub, &st); err != nil {
		return false, errnoOf(err)
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return false, syscall.EACCES
	}
	fd, err := syscall.Open(descriptorPath(stub), syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false, errnoOf(err)
	}
	defer syscall.Close(fd)
	return hasActions(fd)
}

func isStandardStream(fd int) bool {
	return fd >= 0 && fd <= 2
}

// The read end of the pipe is not writable: the caller may have mixed up the two ends.
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

// EAGAIN means the process limit. E2BIG is the stub's only if the command line would fit without the stub's own arguments.
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

// Syscall.Exec returns an errno, which is 0 if the kernel refused without one.
func errnoOf(err error) syscall.Errno {
	errno, ok := err.(syscall.Errno)
	if !ok {
		return syscall.EINVAL
	}
	return errno
}

// StubArgs returns the arguments of dmz: FD PATH ARGV0 [ARG...]. The program always gets an argv[0]; from Linux 5.18 on,
// execve(2) itself ensures that.
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

// Execveat(2) is missing before Linux 3.19, under qemu-user, and where a seccomp(2) filter knows only execve(2). Such
// filters return EPERM or 0.
func isMissing(errno syscall.Errno) bool {
	return errno == syscall.ENOSYS || errno == syscall.EPERM || errno == 0
}

// In the root of a container, /proc may be a plain directory of the image, and the path may name a file in it.
func hasProc() bool {
	const procSuperMagic = 0x9fa0 // linux/magic.h
	var fs syscall.Statfs_t
	return syscall.Statfs("/proc/self/fd", &fs) == nil && fs.Type == procSuperMagic
}

// Execveat does for execveat(2) what syscall.Exec does for execve(2).
func execveat(fd int, argv, envv []string) syscall.Errno {
	argvp, err := syscall.SlicePtrFromStrings(argv)
	if err != nil {
		return syscall.EINVAL
	}
	envvp, err := syscall.SlicePtrFromStrings(envv)
	if err != nil {
		return syscall.EINVAL
	}
	empty := []byte{0}

	// Go raises the soft limit of descriptors when it starts. Later versions restore it in syscall.Exec, which cannot
	// find "".
	syscall.Exec("", []string{"dmz"}, nil)
	/*
	 * During an exec a clone(2) for a new thread fails with EAGAIN, which can end the program (golang/go#18146). The runtime
	 * starts threads only for free processors (P). If this thread has the only one, none is free: a raw system call keeps it.
	 */
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	_, _, errno := syscall.RawSyscall6(numberOf(sysExecveat), uintptr(fd), uintptr(unsafe.Pointer(&empty[0])),
		uintptr(unsafe.Pointer(&argvp[0])), uintptr(unsafe.Pointer(&envvp[0])), atEmptyPath, 0)
	return errno
}

// Fail reports that one of the caller's own steps between fork and exec failed: chdir, setuid, a mount. step is [StepCaller]
// plus a number of the caller's choice, up to 32766. Write only one report, then exit.
//
// Errors: EINVAL if step or errno is out of range; EIO if the descriptor took only a part of the report, so it is not a
// pipe; and those of write(2), with EPIPE if the reader is gone.
func Fail(report int, step uint16, errno syscall.Errno) error {
	if step < StepCaller || step > stepCallerLast || errno == 0 || errno > maxErrno {
		return fmt.Errorf("dmz: step %#x with errno %d: %w", step, errno, syscall.EINVAL)
	}
	return writeRecord(report, step, errno)
}

// Report a failure, and return the error that its reader will see.
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
