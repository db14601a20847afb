// SPDX-License-Identifier: MIT

// Create-start starts a program in two steps. The second step is another process, perhaps much later:
//
//	create-start create STATE PROGRAM [ARG...]	starts an init that waits, and puts its pid into the directory STATE
//	create-start start STATE PROGRAM		continues it, and prints the reason if it could not become PROGRAM
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"errpipe/dmz"
)

// The descriptors and the name of the init.
const (
	stubFD   = 3
	goFD     = 4 // the FIFO through which start lets it go
	reportFD = 5 // the FIFO through which it answers and reports

	initName = "exe" // the process name of a program that is exec'd as /proc/self/exe
)

func main() {
	if os.Args[0] == "init" {
		os.Exit(initialize(os.Args[1:]))
	}
	var err error
	switch {
	case len(os.Args) >= 4 && os.Args[1] == "create":
		err = create(os.Args[2], os.Args[3:])
	case len(os.Args) == 4 && os.Args[1] == "start":
		err = start(os.Args[2], os.Args[3])
	default:
		err = errors.New("usage: create-start create STATE PROGRAM [ARG...]\n       create-start start STATE PROGRAM")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(dmz.ExitCode(err, dmz.POSIX))
}

// MakeFIFO makes a FIFO and opens both of its ends, so that the open does not wait.
func makeFIFO(state, name string) (*os.File, error) {
	name = filepath.Join(state, name)
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		return nil, &os.PathError{Op: "mkfifo", Path: name, Err: err}
	}
	fd, err := syscall.Open(name, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

func create(state string, argv []string) error {
	stub, err := dmz.Stub()
	if err != nil {
		return err
	}
	wait, err := makeFIFO(state, "exec.fifo")
	if err != nil {
		return err
	}
	report, err := makeFIFO(state, "report.fifo")
	if err != nil {
		return err
	}
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: append([]string{"init"}, argv...), Stdout: os.Stdout, Stderr: os.Stderr}
	cmd.ExtraFiles = []*os.File{stub, wait, report}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(state, "pid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600)
}

func initialize(argv []string) int {
	for _, fd := range []int{stubFD, goFD, reportFD} {
		syscall.CloseOnExec(fd)
	}
	// The answer proves that the init has left its wait. End of file alone could mean that it was killed in there.
	answer := make([]byte, 1)
	if n, err := syscall.Read(goFD, answer); n != 1 || err != nil {
		return 125
	}
	if n, err := syscall.Write(reportFD, answer); n != 1 || err != nil {
		return 125
	}
	dmz.Exec(stubFD, reportFD, 0, argv[0], argv, os.Environ())
	return 125
}

// Start opens the report first. The other FIFO can be opened only while the init lives. The report therefore had a writer,
// and a read of it waits.
func start(state, path string) error {
	died := &dmz.Error{Verdict: dmz.Died, Path: path, Status: dmz.StatusUnknown}
	pid, err := os.ReadFile(filepath.Join(state, "pid"))
	if err != nil {
		return err
	}
	report, err := os.OpenFile(filepath.Join(state, "report.fifo"), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	let, err := os.OpenFile(filepath.Join(state, "exec.fifo"), os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if os.Remove(filepath.Join(state, "exec.fifo")) != nil {
		return fmt.Errorf("%s: started already", state)
	}
	if errors.Is(err, syscall.ENXIO) {
		return died
	}
	if err != nil {
		return err
	}
	answer := make([]byte, 1)
	let.Write(answer)
	if n, err := report.Read(answer); n != 1 {
		if err == io.EOF {
			return died
		}
		return err
	}
	if err := dmz.Read(report, 0, path); err != nil {
		return err
	}
	return verdict(string(pid), path)
}

// Verdict finds out whether the init closed its report by becoming the program or by ending.
func verdict(pid, path string) error {
	name, exiting := look(pid)
	if name != "" && exiting {
		name, _ = look(pid) // it is final now
	}
	_, err := strconv.Atoi(name)
	isStub := err == nil || strings.HasPrefix(name, "memfd:dmz-")
	switch {
	case name != "" && !(exiting && (isStub || name == initName)):
		return nil
	case name == initName:
		return &dmz.Error{Verdict: dmz.Died, Path: path, Status: dmz.StatusUnknown}
	}
	return &dmz.Error{Verdict: dmz.Closed, Path: path, Status: dmz.StatusUnknown}
}

// Look returns the name of a process, and whether it is exiting (proc(5), /proc/PID/stat).
func look(pid string) (name string, exiting bool) {
	const pfExiting = 4 // include/linux/sched.h
	stat, _ := os.ReadFile("/proc/" + pid + "/stat")
	from, to := strings.IndexByte(string(stat), '(')+1, strings.LastIndexByte(string(stat), ')')
	if to < from {
		return "", true
	}
	flags, _ := strconv.ParseUint(strings.Fields(string(stat[to+1:]))[6], 10, 32)
	return string(stat[from:to]), flags&pfExiting != 0
}
