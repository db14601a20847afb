// SPDX-License-Identifier: MIT

package dmz

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// A child of the tests is the test program itself; this variable selects its job.
const modeVariable = "DMZ_TEST_MODE"

// A filter to install before the exec, which makes a system call return an errno: "NUMBER ERRNO [SECOND-ARGUMENT]".
const refuseVariable = "DMZ_TEST_REFUSE"

// The report of a child is the first of its ExtraFiles.
const reportFD = 3

const (
	exitReturned = 42 // from Exec, as it should not
	exitWrong    = 43
)

func TestMain(m *testing.M) {
	switch mode := os.Getenv(modeVariable); mode {
	case "":
		// Inherited descriptors must not be mistaken for the test's own.
		for fd := 3; fd < 1024; fd++ {
			setCloexec(fd, syscall.FD_CLOEXEC)
		}
		// Some tests kill a child by a signal that would leave a core dump.
		syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
		os.Exit(m.Run())
	case "exec":
		os.Unsetenv(modeVariable)
		childExec(os.Args[1], os.Args[2], os.Args[3:])
	case "image":
		os.Unsetenv(modeVariable)
		mountImage()
		childExec(os.Args[1], os.Args[2], os.Args[3:])
	case "start-setup":
		os.Unsetenv(modeVariable)
		childStart(os.Args[1])
	case "setup":
		os.Unsetenv(modeVariable)
		childSetup(os.Args[1:])
	case "fail":
		step, _ := strconv.ParseUint(os.Args[1], 0, 16)
		errno, _ := strconv.Atoi(os.Args[2])
		if Fail(reportFD, uint16(step), syscall.Errno(errno)) != nil {
			os.Exit(exitWrong)
		}
		os.Exit(125)
	case "show":
		show()
	case "pdeathsig":
		var signal int32
		prctl(2, uintptr(unsafe.Pointer(&signal)), 0) // PR_GET_PDEATHSIG
		fmt.Println(signal)
	case "route":
		printRoutes(os.Args[1:])
	case "starts":
		os.Unsetenv(modeVariable)
		starts(os.Args[1], os.Args[2])
	case "name":
		fmt.Print(makeOwnName())
	case "hold":
		os.Unsetenv(modeVariable)
		hold(os.Args[1:])
	default:
		fmt.Fprintln(os.Stderr, "unknown mode", mode)
		os.Exit(exitWrong)
	}
}

// Starts starts a program several times, all on the first thread.
func starts(how, count string) {
	run := map[string]func(*exec.Cmd) error{"exec": (*exec.Cmd).Start, "direct": directly, "stub": throughStub}
	for n, _ := strconv.Atoi(count); n > 0; n-- {
		cmd := &exec.Cmd{Path: "/bin/true", Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
		if run[how](cmd) != nil || Wait(cmd) != nil {
			os.Exit(exitWrong)
		}
	}
	os.Exit(0)
}

// The main goroutine stays on the first thread, which has the id of the process.
func init() {
	if os.Getenv(modeVariable) == "starts" {
		runtime.LockOSThread()
	}
}

// MountImage mounts on /proc what an image may have there: files with the names of descriptors.
func mountImage() {
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil {
		err = syscall.Mount("image", "/proc", "tmpfs", 0, "")
	}
	if err == nil {
		err = os.MkdirAll("/proc/self/fd", 0o755)
	}
	for fd := 3; err == nil && fd < 64; fd++ {
		err = os.WriteFile(descriptorPath(fd), []byte("#!/bin/sh\necho the image has run\n"), 0o755)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitWrong)
	}
}

// Exec on a route, and check that the returned error is the reported one.
func childExec(route, path string, argv []string) {
	stub, flags := NoStub, Flags(0)
	file, err := Stub()
	if route != "direct" {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitWrong)
		}
		stub = int(file.Fd())
	}
	if route == "fallback" {
		flags = Fallback
	}
	if len(argv) == 1 && strings.HasPrefix(argv[0], "args-") {
		argv = longArgv(argv[0])
	}
	if refused := os.Getenv(refuseVariable); refused != "" {
		runtime.LockOSThread()
		refuse(strings.Fields(refused))
	}
	err = Exec(stub, reportFD, flags, path, argv, os.Environ())
	runtime.KeepAlive(file)
	if e, ok := err.(*Error); !ok || e.Path != path || e.Machine != ownMachine {
		fmt.Fprintf(os.Stderr, "Exec returned %#v\n", err)
		os.Exit(exitWrong)
	}
	os.Exit(exitReturned)
}

// As tests/cases.txt requires them.
func longArgv(state string) []string {
	const long = 128 * 1024
	switch state {
	case "args-one-string":
		return []string{"x", strings.Repeat("x", long)}
	case "args-many-strings":
		argv := []string{"x"}
		for i := 0; i < 64; i++ {
			argv = append(argv, strings.Repeat("x", long-1))
		}
		return argv
	}
	return []string{"x", strings.Repeat("x", 100000), strings.Repeat("x", 100000), strings.Repeat("x", 100000)}
}

// Hold waits for the end of its input, under a name like that of a runtime's init.
func hold(args []string) {
	os.WriteFile("/proc/self/comm", []byte(heldName), 0)
	os.Stdout.Write([]byte{'.'})
	os.Stdin.Read(make([]byte, 1))
	if len(args) > 1 && args[0] == "exec" {
		childExec("stub", args[1], args[1:])
	}
	os.Exit(1)
}

// Show prints the target's arguments, and its descriptors above the standard streams.
func show() {
	fmt.Printf("%q", os.Args)
	for fd := 3; fd < 64; fd++ {
		var st syscall.Stat_t
		// The Go runtime's own are close-on-exec.
		if flags, errno := fcntl(fd, syscall.F_GETFD, 0); errno == 0 && flags&syscall.FD_CLOEXEC == 0 && syscall.Fstat(fd, &st) == nil {
			fmt.Printf(" %d", fd)
		}
	}
	fmt.Println()
	os.Exit(0)
}

// Self is the test program in a mode, run by the emulator if there is one.
func self(mode string, args ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	if emulator := os.Getenv("DMZ_TEST_EMULATOR"); emulator != "" {
		args = append([]string{exe}, args...)
		exe = emulator
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(os.Environ(), modeVariable+"="+mode)
	cmd.Stderr = os.Stderr
	return cmd
}

const (
	seccompKill  = 0x80000000 // linux/seccomp.h: SECCOMP_RET_KILL_PROCESS
	seccompErrno = 0x00050000 // SECCOMP_RET_ERRNO, plus the errno
	seccompAllow = 0x7fff0000
)

// Filter applies the action to a system call of this thread and of the processes that it starts. Args are the arguments of
// the call from the second on. A call with other arguments passes.
func filter(action uint32, call uintptr, args ...uint32) error {
	const nr, firstArg, equals = 0, 16, syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K
	load := func(offset uint32) syscall.SockFilter {
		return syscall.SockFilter{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, K: offset}
	}
	toAllow := uint8(2*len(args) + 1)
	program := []syscall.SockFilter{load(nr), {Code: equals, Jf: toAllow, K: uint32(call)}}
	for i, arg := range args {
		toAllow -= 2
		program = append(program, load(firstArg+8*uint32(i+1)), syscall.SockFilter{Code: equals, Jf: toAllow, K: arg})
	}
	program = append(program, syscall.SockFilter{Code: syscall.BPF_RET, K: action}, syscall.SockFilter{Code: syscall.BPF_RET, K: seccompAllow})
	prog := syscall.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	const setNoNewPrivs, setSeccomp, modeFilter = 38, 22, 2 // linux/prctl.h, linux/seccomp.h
	if _, errno := prctl(setNoNewPrivs, 1, 0); errno != 0 {
		return errno
	}
	if _, errno := prctl(setSeccomp, modeFilter, uintptr(unsafe.Pointer(&prog))); errno != 0 {
		return errno
	}
	return nil
}

func refuse(fields []string) {
	var numbers [2]uintptr
	var args []uint32
	for i, field := range fields {
		n, err := strconv.ParseUint(field, 10, 32)
		if err != nil {
			panic(err)
		}
		if i < len(numbers) {
			numbers[i] = uintptr(n)
		} else {
			args = append(args, uint32(n))
		}
	}
	if err := filter(seccompErrno|uint32(numbers[1]), numbers[0], args...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitWrong)
	}
}

// WithFilter runs a function on a new thread, which ends with the function.
func withFilter(t *testing.T, f func(), action uint32, call uintptr, args ...uint32) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := filter(action, call, args...)
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// Run a command with the report as its first extra file. Returns the report that was read, and the wait status.
func readReport(t *testing.T, cmd *exec.Cmd, path string) (error, syscall.WaitStatus) {
	t.Helper()
	r, w, err := Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	report := Read(r, 0, path)
	cmd.Wait()
	return report, cmd.ProcessState.Sys().(syscall.WaitStatus)
}

// Built returns the path of a file that make has built. Without it, a test cannot run.
func built(t testing.TB, name string) string {
	dir := os.Getenv("ERRPIPE_BUILD")
	if dir == "" {
		t.Skip("ERRPIPE_BUILD is not set: it is the directory that make builds in")
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("%#v is no *Error", err)
	}
	return e
}
