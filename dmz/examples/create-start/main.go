// SPDX-License-Identifier: MIT

// Create-start starts a program in two steps, of which the second is another process, and maybe much later:
//
//	create-start create STATE PROGRAM [ARG...]	leaves an init that waits, and its pid in the folder STATE
//	create-start start STATE PROGRAM		lets it go, and says why it could not become PROGRAM
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"errpipe/dmz"
)

const stubFD, fifoFD = 3, 4 // of the init

func main() {
	if os.Args[0] == "init" {
		os.Exit(initialize(os.Args[1:]))
	}
	command, state, argv := os.Args[1], os.Args[2], os.Args[3:]
	err := fmt.Errorf("no such command: %s", command)
	switch command {
	case "create":
		err = create(state, argv)
	case "start":
		err = start(state, argv[0])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(dmz.ExitCode(err, dmz.POSIX))
}

func create(state string, argv []string) error {
	name := filepath.Join(state, "exec.fifo")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		return err
	}
	const oPath = 0x200000 // none of its ends: nobody has it open until start
	fd, err := syscall.Open(name, oPath|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	stub, err := dmz.Stub()
	if err != nil {
		return err
	}
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: append([]string{"init"}, argv...), Stdout: os.Stdout, Stderr: os.Stderr}
	cmd.ExtraFiles = []*os.File{stub, os.NewFile(uintptr(fd), name)}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(state, "pid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600)
}

func initialize(argv []string) int {
	syscall.CloseOnExec(stubFD)
	syscall.CloseOnExec(fifoFD)
	report, err := syscall.Open(fmt.Sprintf("/proc/self/fd/%d", fifoFD), syscall.O_WRONLY|syscall.O_CLOEXEC, 0) // waits for a reader
	if err == nil {
		dmz.Exec(stubFD, report, 0, argv[0], argv, os.Environ())
	}
	return 125
}

// The FIFO is opened without waiting, as its writer may be dead, and is at its end until there is one. So start asks whether the
// init still lives, and reads once more after that: what it has written is there by then.
func start(state, path string) error {
	pid, err := os.ReadFile(filepath.Join(state, "pid"))
	if err != nil {
		return err
	}
	name := filepath.Join(state, "exec.fifo")
	r, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	os.Remove(name) // it is started but once
	for {
		init := isInit(string(pid))
		if err := dmz.Read(r, 0, path); err != nil || !init {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// IsInit says whether the process has neither ended nor become something else.
func isInit(pid string) bool {
	cmdline, err := os.ReadFile("/proc/" + pid + "/cmdline")
	return err == nil && len(cmdline) > 5 && string(cmdline[:5]) == "init\x00"
}
