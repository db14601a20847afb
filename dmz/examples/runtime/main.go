// SPDX-License-Identifier: MIT

// Runtime runs a program in its own namespaces, like a container runtime, and prints the reason if it could not:
//
//	runtime PROGRAM [ARG...]
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"errpipe/dmz"
)

const (
	stubFD, reportFD = 3, 4 // in the init, which gets them in this order
	preserved        = 0    // a runtime passes 3 to 3+N-1 to the program (--preserve-fds N); these two come next

	initName = "runtime:[init]" // the process name by which Settle recognises the init
)

func main() {
	if os.Args[0] == "init" {
		os.Exit(initialize(os.Args[1:]))
	}
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: runtime PROGRAM [ARG...]")
		os.Exit(125)
	}
	err := run(os.Args[1:])
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(dmz.ExitCode(err, dmz.POSIX))
}

func run(argv []string) error {
	stub, err := dmz.Stub() // one for each container
	if err != nil {
		return err
	}
	r, w, err := dmz.Pipe()
	if err != nil {
		return err
	}
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: append([]string{"init"}, argv...), ExtraFiles: []*os.File{stub, w}}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWPID}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.Close() // or there would be no end of file
	stub.Close()

	if err = dmz.Read(r, 0, argv[0]); err != nil {
		cmd.Process.Kill() // it is exiting anyway; if the record was forged, this makes it true
	} else {
		err = dmz.Settle(cmd.Process.Pid, argv[0], initName, strconv.Itoa(stubFD)) // waits for the end of the init
	}
	if exit := cmd.Wait(); err == nil {
		err = exit
	}
	return err
}

func initialize(argv []string) int {
	runtime.LockOSThread()
	if err := os.WriteFile("/proc/self/comm", []byte(initName), 0); err != nil {
		return fail(0, err)
	}
	if err := syscall.Sethostname([]byte("container")); err != nil {
		return fail(1, err)
	}
	// Directly before the exec, like runc's UnsafeCloseFrom(3 + N). It marks descriptors instead of closing them, so it
	// needs no exceptions.
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fail(2, err)
	}
	for _, entry := range fds {
		if fd, _ := strconv.Atoi(entry.Name()); fd >= 3+preserved {
			syscall.CloseOnExec(fd)
		}
	}
	dmz.Exec(stubFD, reportFD, 0, argv[0], argv, os.Environ())
	return 125
}

func fail(step uint16, err error) int {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		errno = syscall.EINVAL
	}
	dmz.Fail(reportFD, dmz.StepCaller+step, errno)
	return 125
}
