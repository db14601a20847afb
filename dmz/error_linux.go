// SPDX-License-Identifier: MIT

package dmz

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"unicode/utf8"
)

// Verdict classifies a failed attempt to exec. Success is a nil error and has no Verdict.
type Verdict int

const (
	ExecFailed  Verdict = iota + 2 // the program could not be exec'd, for the reason in Errno
	SetupFailed                    // the stub could not start or run, or one of the caller's own steps failed
	Died                           // the process died before the program was exec'd, without writing a record
	Closed                         // the pipe was closed, and the process cannot show whether the program started
)

// StepProcess is the fork, or a step of package syscall before the exec. Only an error of [Start] has it, never a record.
const StepProcess uint16 = 0x3fff

// StatusUnknown stands for a wait status that is not known (yet).
const StatusUnknown = ^syscall.WaitStatus(0)

// An Error says why a program could not be exec'd. Its text is the same line that the C library and the command errpipe
// print. It unwraps to a [syscall.Errno], so that errors.Is finds syscall.ENOEXEC and fs.ErrNotExist in it.
type Error struct {
	Verdict Verdict
	Path    string // of the program

	// For ExecFailed and SetupFailed. Errno has the numbering of this host, Raw that of the machine that wrote the record. If
	// both have the same numbering, Errno is Raw, even if that has no name. Errno is 0 in two cases. If Raw is 0 as well, the
	// kernel refused without an errno, which a seccomp filter can cause. Otherwise the writer uses other numbers, and Raw has no
	// name there, or one that this host lacks.
	Errno   syscall.Errno
	Raw     int
	Machine uint16 // ELF e_machine
	Step    uint16

	Status syscall.WaitStatus // of the process, or StatusUnknown
}

// NewError makes every error of this package.
func newError(verdict Verdict, path string) *Error {
	return &Error{Verdict: verdict, Path: path, Status: StatusUnknown}
}

// Failure makes the error for a record: raw is the errno as machine numbers it.
func failure(path string, machine, step, raw uint16) *Error {
	e := newError(SetupFailed, path)
	if step == StepExec {
		e.Verdict = ExecFailed
	}
	e.Errno, e.Raw, e.Machine, e.Step = hostErrno(machine, raw), int(raw), machine, step
	return e
}

// Unwrap returns Errno, or nil if there is none.
func (e *Error) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// As makes errors.As find an [*fs.PathError], which package os/exec would have returned, for an error with an errno.
func (e *Error) As(target any) bool {
	pathError, ok := target.(**fs.PathError)
	if !ok || e.Errno == 0 {
		return false
	}
	*pathError = &fs.PathError{Op: "fork/exec", Path: e.Path, Err: e.Errno}
	return true
}

// Error returns one line, "exec PATH: exec format error", with the control characters of the path escaped. Only a failed
// exec has the words of its errno. All other verdicts name the errno, "exec PATH: cannot start the stub (EACCES)", because
// Docker, podman and containerd search the text for words like "permission denied" to choose an exit code.
func (e *Error) Error() string {
	line := "exec " + escape(e.Path) + ": "
	switch e.Verdict {
	case ExecFailed:
		return line + e.reason(errnoWords)
	case SetupFailed:
		return line + e.failedStep() + " (" + e.reason(errnoName) + ")"
	case Died:
		return line + e.end("ended") + " before it started"
	case Closed:
		if e.Status == StatusUnknown {
			return line + "cannot tell whether it started (reaped by somebody else?)"
		}
		return line + e.end("") + "; whether it started is unknown"
	}
	return line + "no verdict"
}

func (e *Error) reason(say func(syscall.Errno) string) string {
	switch {
	case e.Errno != 0:
		return say(e.Errno)
	case e.Raw != 0:
		return fmt.Sprintf("errno %d of machine %d", e.Raw, e.Machine)
	}
	return "refused without an errno"
}

func (e *Error) failedStep() string {
	if e.Step == StepProcess {
		return "cannot set up the process"
	}
	if words := stepWords[e.Step]; words != "" {
		return words
	}
	if e.Step >= StepSetup && e.Step <= stepSetupLast {
		return fmt.Sprintf("setup of kind %d failed", e.Step-StepSetup) // a later version knows its name
	}
	return fmt.Sprintf("set-up step %d failed", e.Step-StepCaller)
}

func (e *Error) end(unknown string) string {
	switch {
	case e.Status == StatusUnknown:
		return unknown
	case e.Status.Signaled():
		return "killed by " + signalName(e.Status.Signal())
	}
	return fmt.Sprintf("exited with status %d", e.Status.ExitStatus())
}

func signalName(signal syscall.Signal) string {
	switch {
	case signalNames[signal] != "":
		return signalNames[signal]
	case signal == 16 && familyOf(ownMachine) == generic: // which mips lacks
		return "SIGSTKFLT"
	}
	return fmt.Sprintf("signal %d", int(signal))
}

// Escape turns a path into one harmless line. It escapes ASCII's control characters and U+0080 to U+009F, which a terminal
// also takes for escape sequences. All other bytes are left unchanged, even if they are not UTF-8.
func escape(path string) string {
	var line strings.Builder
	for len(path) > 0 {
		r, size := utf8.DecodeRuneInString(path)
		switch {
		case r == '\n':
			line.WriteString(`\n`)
		case r == '\r':
			line.WriteString(`\r`)
		case r == '\t':
			line.WriteString(`\t`)
		case r < ' ' || r >= 0x7f && r < 0xa0:
			for i := 0; i < size; i++ {
				fmt.Fprintf(&line, `\x%02x`, path[i])
			}
		default:
			line.WriteString(path[:size])
		}
		path = path[size:]
	}
	return line.String()
}
