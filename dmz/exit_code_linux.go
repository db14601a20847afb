// SPDX-License-Identifier: MIT

package dmz

import (
	"errors"
	"io/fs"
	"os/exec"
	"syscall"
)

// The exit codes of a policy (dmz/policy.def).
type rule struct{ notFound, notAllowed, notADirectory, isADirectory, other, setUp int }

// ExitCode returns the exit code for an error, 0 to 255, by a policy:
//
//   - nil is 0.
//   - An error of this package has the code for its verdict and errno.
//   - An error of [exec.Cmd]'s Wait has the program's own: its exit status, or 128 plus the signal.
//   - A program that [exec.LookPath] did not find, or found and cannot start, has the code of an exec that fails in the same
//     way. With [exec.ErrDot] the program exists and Go does not start it, so the code is that of EACCES.
//   - Every other error, and a process whose status is unknown, has the code of a failed set-up.
//
// It panics if the policy does not exist.
func ExitCode(err error, policy Policy) int {
	if policy < 0 || int(policy) >= len(rules) {
		panic("dmz: unknown policy")
	}
	rule := rules[policy]
	if err == nil {
		return 0
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok {
			return rule.own(status)
		}
	}
	var search *exec.Error
	if errors.As(err, &search) {
		return rule.failedSearch(search)
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
	if code := stepExitCodes[e.Step]; code != 0 && policy == Systemd {
		return code
	}
	return rule.setUp
}

func (r rule) failedSearch(err *exec.Error) int {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		return r.failedExec(errno)
	case errors.Is(err, exec.ErrNotFound):
		return r.notFound
	case errors.Is(err, exec.ErrDot), errors.Is(err, fs.ErrPermission):
		return r.notAllowed
	}
	return r.setUp
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
