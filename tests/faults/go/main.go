// SPDX-License-Identifier: MIT

// Go plays the scenes of package dmz for make faults: go SCENE PATH. It prints a line that main.c reads.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"errpipe/dmz"
)

// trace.c waits for these calls.
const mark, begin, end = 0x3fffffff, 1, 2

func trace(what uintptr) {
	syscall.RawSyscall(mark, what, 0, 0)
}

// Descriptors counts those that are open, except for one stub, which dmz.Start keeps.
func descriptors() (n int) {
	kept := false
	for fd := 0; fd < 128; fd++ {
		name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		switch {
		case err != nil:
		case !kept && strings.HasPrefix(name, "/memfd:dmz"):
			kept = true
		default:
			n++
		}
	}
	return n
}

func childLeft() bool {
	var status syscall.WaitStatus
	_, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
	return err != syscall.ECHILD
}

// tell prints the outcome: the verdict as C numbers it (0 for an error that is not a *dmz.Error), errno, step and wait status.
func tell(err error, state *os.ProcessState, before int) {
	verdict, errno, step, status := 1, 0, 0, -1
	var e *dmz.Error
	if errors.As(err, &e) {
		verdict, errno, step, status = int(e.Verdict), int(e.Errno), int(e.Step), int(e.Status)
	} else if err != nil {
		verdict = 0
	}
	if state != nil {
		status = int(state.Sys().(syscall.WaitStatus))
	}
	left := childLeft()
	fmt.Printf("%d %d %d %d %d %t\n", verdict, errno, step, status, descriptors()-before, left)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func start(path string) {
	before := descriptors()

	cmd := exec.Command(path)
	trace(begin)
	err := dmz.Start(cmd)
	var state *os.ProcessState
	if err == nil {
		if err = dmz.Wait(cmd); cmd.ProcessState != nil && errors.As(err, new(*exec.ExitError)) {
			err = nil
		}
		state = cmd.ProcessState
	}
	trace(end)
	tell(err, state, before)
}

func become(path string) {
	before := descriptors()
	trace(begin)
	err := func() error {
		stub, err := dmz.Stub()
		if err != nil {
			return err
		}
		defer stub.Close()
		r, w, err := dmz.Pipe()
		if err != nil {
			return err
		}
		defer r.Close()
		defer w.Close()
		err = dmz.Exec(int(stub.Fd()), int(w.Fd()), 0, path, []string{path}, os.Environ())
		runtime.KeepAlive(stub)
		return err
	}()
	trace(end)
	tell(err, nil, before)
	os.Exit(126)
}

func main() {
	runtime.LockOSThread()
	// Go opens an epoll descriptor at the first use of a pipe, and keeps it.
	r, w, _ := os.Pipe()
	r.Close()
	w.Close()
	if os.Args[1] == "start" {
		start(os.Args[2])
	} else {
		become(os.Args[2])
	}
}
