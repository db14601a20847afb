// SPDX-License-Identifier: MIT

package dmz

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// From the kernel's include/linux/sched.h.
const (
	pfExiting    = 0x00000004 // is exiting
	pfForknoexec = 0x00000040 // has not exec'd since its fork
)

// Settle waits until the child pid has ended, without reaping it, and checks whether the program path was ever started in
// it. It returns nil if so, otherwise an [*Error] with the verdict Died or Closed and with the wait status. Call it after a
// [Read] that returned nil, and before the child is reaped.
//
// The kernel marks a process that never exec'd anything. But the init of a Go runtime has already exec'd its own program.
// Therefore pass the process names (comm, see proc(5)) that it has before it becomes the program, such as "runc:[2:INIT]" or
// "exe"; a process that ends under one of them has Died. Choose a name that no target bears.
//
// From Linux 6.14 on, a process has the name of the memfd while it is the stub. Before Linux 6.14, and where a filter refuses
// execveat(2), the name is the number of the stub's descriptor. A program can also have a number as its name. If a
// process with such a name ends the way a stub can, by a signal or with 125 to 127, the verdict is therefore Closed, unless
// the number is in unfinished.
//
// If pid is not above 0, the error is EINVAL.
func Settle(pid int, path string, unfinished ...string) error {
	if pid <= 0 {
		return fmt.Errorf("dmz: process %d: %w", pid, syscall.EINVAL)
	}
	return look(pid, path, 0, anyStub(unfinished)).orNil()
}

// SettleChild waits for the end of a child of Start. It returns an error if the program was not started.
func settleChild(pid int, path string) *Error {
	var status syscall.WaitStatus
	if _, err := waitable(pid, 0, &status); err != nil || !mayBeUnfinished(status) {
		return nil
	}
	return look(pid, path, 0, func(p *process, status syscall.WaitStatus) Verdict {
		name := ""
		if _, known := stubNames.Load(p.comm); known {
			name = p.comm
		}
		return stubNamed(name, path)(p, status)
	})
}

// MayBeUnfinished: can a child of Start have ended like that before the program? Package syscall lets a child that cannot tell
// its parent of a failure exit with 253.
func mayBeUnfinished(status syscall.WaitStatus) bool {
	return isStubStatus(status) || status.ExitStatus() == 253
}

// A judge gives the verdict for a process that has ended, or is exiting and has its last name. 0 means that it was the program.
type judge func(p *process, status syscall.WaitStatus) Verdict

// Look returns nil if the program was started.
func look(pid int, path string, options int, verdict judge) *Error {
	e := newError(Closed, path)
	ended, err := waitable(pid, options, &e.Status)
	if err != nil {
		return e
	}
	process, ok := readProcess(pid)
	if ok && !ended {
		process, ok = whileItLives(pid, process)
	}
	switch {
	case !ok:
		return e
	case !ended && !process.isExiting():
		if process.flags&pfForknoexec != 0 {
			return e // it closed the pipe itself, and may or may not exec later
		}
		return nil
	}
	e.Verdict = verdict(&process, e.Status)
	if e.Verdict == 0 {
		return nil
	}
	return e
}

// OrNil is needed because an error that holds a nil *Error is not nil.
func (e *Error) orNil() error {
	if e == nil {
		return nil
	}
	return e
}

// If a child has closed the pipe but not exec'd yet, it either closed it by itself or is in the middle of an exec: some
// kernels (6.1.192, 6.12.117) close close-on-exec descriptors before they clear the flag. Such an exec is over soon.
func whileItLives(pid int, p process) (process, bool) {
	const patience = 50 * time.Millisecond
	ok := true
	for waited := time.Duration(0); ok && waited < patience; waited += time.Millisecond {
		if p.isExiting() {
			// The name was read before the flags, and may have changed since. It is final in a process that
			// exits.
			return readProcess(pid)
		}
		if p.flags&pfForknoexec == 0 {
			break
		}
		time.Sleep(time.Millisecond)
		p, ok = readProcess(pid)
	}
	return p, ok
}

type process struct {
	comm  string
	flags uint64
}

func (p *process) isExiting() bool {
	return p.flags&pfExiting != 0
}

// AnyStub judges a process that went through a stub of any name, or through none.
func anyStub(unfinished []string) judge {
	return func(p *process, status syscall.WaitStatus) Verdict {
		if p.flags&pfForknoexec != 0 {
			return Died
		}
		for _, name := range unfinished {
			if len(name) > nameLength {
				name = name[:nameLength] // as the kernel truncates it
			}
			if p.comm == name {
				return Died
			}
		}
		if !isStubStatus(status) {
			return 0
		}
		own := ownName()
		if own != "" && p.comm == own {
			return Died
		}
		if p.mayBeStub(own) {
			return Closed
		}
		return 0
	}
}

// StubNamed judges a process whose name while it is the stub is known; "" if it is never the stub. The name of the program is the
// last part of path.
func stubNamed(stub, path string) judge {
	return func(p *process, status syscall.WaitStatus) Verdict {
		switch {
		case p.flags&pfForknoexec != 0:
			return Died
		case stub == "" || p.comm != stub || !isStubStatus(status):
			return 0
		case path[strings.LastIndexByte(path, '/')+1:] == stub:
			return Closed
		}
		return Died
	}
}

// A stub can end by a signal, or with 125 to 127.
func isStubStatus(status syscall.WaitStatus) bool {
	return status == StatusUnknown || status.Signaled() || status.ExitStatus() >= 125 && status.ExitStatus() <= 127
}

// Before Linux 6.14, and wherever the stub is exec'd as /proc/self/fd/N, it is named after its descriptor. A stub that is a
// file has the name of that file. The name of a stub that another process has made is unknown here.
func (p *process) mayBeStub(own string) bool {
	if _, err := strconv.ParseUint(p.comm, 10, 32); err == nil || p.comm == "" || p.comm == "dmz" {
		return true
	}
	return own == "" && strings.HasPrefix(p.comm, namePrefix) && len(p.comm) == nameLength
}

// ReadProcess fails if /proc belongs to another pid namespace, in which the number means another process, or if the process
// is not a child of this one.
func readProcess(pid int) (p process, ok bool) {
	self, err := os.Readlink("/proc/self")
	if err != nil || self != strconv.Itoa(os.Getpid()) {
		return p, false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return p, false
	}
	// proc(5): "pid (comm) state ppid pgrp session tty_nr tpgid flags ...". comm may contain any byte, even ')'.
	line := string(stat)
	from, to := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if from < 0 || to < from {
		return p, false
	}
	fields := strings.Fields(line[to+1:])
	if len(fields) < 7 || fields[1] != self {
		return p, false
	}
	p.comm = line[from+1 : to]
	p.flags, err = strconv.ParseUint(fields[6], 10, 64)
	return p, err == nil
}

// The result of waitid(2) (asm-generic/siginfo.h). On mips, code comes before errno.
type siginfo struct {
	signo, errno, code int32
	_                  [unsafe.Sizeof(uintptr(0))/4 - 1]int32
	pid                int32
	uid                uint32
	status             int32
	_                  [128]byte
}

// Waitable waits for the end of a child, or with WNOHANG only checks for it. It does not reap the child.
func waitable(pid, options int, status *syscall.WaitStatus) (ended bool, err error) {
	var info siginfo
	*status = StatusUnknown
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pPid, uintptr(pid), uintptr(unsafe.Pointer(&info)),
			uintptr(options)|wExited|wNowait|wAll, 0, 0)
		if errno == 0 {
			break
		}
		if errno != syscall.EINTR {
			return false, errno
		}
	}
	if info.pid == 0 {
		return false, nil
	}
	code := info.code
	if strings.HasPrefix(runtime.GOARCH, "mips") {
		code = info.errno
	}
	switch code {
	case 1: // CLD_EXITED
		*status = syscall.WaitStatus(info.status << 8)
	case 3: // CLD_DUMPED
		*status = syscall.WaitStatus(info.status | 0x80)
	default:
		*status = syscall.WaitStatus(info.status)
	}
	return true, nil
}
