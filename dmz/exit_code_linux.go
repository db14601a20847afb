// SPDX-License-Identifier: MIT

package dmz

import (
	"errors"
	"os/exec"
	"syscall"
)

// Policy is a rule that makes an exit code of an error.
type Policy int

const (
	POSIX   Policy = iota // shells, env(1), podman: 127 not found, 126 cannot be executed, 125 set-up failed
	Dockerd               // what dockerd puts in State.ExitCode: 127, 126, else 128; 125 set-up failed
	Runc                  // runc's init since 1.2: always 255
	Systemd               // systemd's EXIT_EXEC: always 203
)

// By errno, for every other errno, and for a failed set-up.
type rule struct{ notFound, notAllowed, notADirectory, isADirectory, other, setUp int }

var rules = map[Policy]rule{
	POSIX:   {127, 126, 126, 126, 126, 125},
	Dockerd: {127, 126, 127, 126, 128, 125},
	Runc:    {255, 255, 255, 255, 255, 255},
	Systemd: {203, 203, 203, 203, 203, 203},
}

// ExitCode returns the exit code, 0 to 255, that the policy gives to an error of this package; or to one of [exec.Cmd]'s
// Wait, which is the program's own: its exit status, or 128 plus the signal. It is 0 for nil, and that of a failed set-up
// for any other error, and for one of a process whose status is not known. It panics if there is no such policy.
func ExitCode(err error, policy Policy) int {
	rule, ok := rules[policy]
	if !ok {
		panic("dmz: unknown policy")
	}
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok {
			return rule.own(status)
		}
	}
	var e *Error
	if !errors.As(err, &e) {
		return rule.setUp
	}
	switch e.Verdict {
	case ExecFailed:
		return rule.failedExec(e.Errno)
	case Died, Closed:
		return rule.own(e.Status)
	}
	return rule.setUp
}

func (r rule) failedExec(errno syscall.Errno) int {
	switch errno {
	case syscall.ENOENT:
		return r.notFound
	case syscall.EACCES:
		return r.notAllowed
	case syscall.ENOTDIR:
		return r.notADirectory
	case syscall.EISDIR:
		return r.isADirectory
	}
	return r.other
}

func (r rule) own(status syscall.WaitStatus) int {
	switch {
	case status == StatusUnknown:
		return r.setUp
	case status.Signaled():
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
