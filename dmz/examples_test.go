// SPDX-License-Identifier: MIT

package dmz

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

func buildExample(t *testing.T, name string) string {
	skipUnderEmulator(t)
	program := filepath.Join(t.TempDir(), name)
	build := exec.Command("go", "build", "-o", program, "./examples/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // without libc
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// Foreign is a program for another machine.
func foreign(t *testing.T) string {
	directory, _ := makeFixture(t, built(t, "tests/prog_case"))
	for _, c := range loadCases(t) {
		if c.name == "other-machine" {
			return c.pathIn(directory)
		}
	}
	t.Fatal("no such case")
	return ""
}

func runProgram(t *testing.T, want string, code int, program string, args ...string) {
	t.Helper()
	// Use a file: a pipe would reach its end only after every process that this has left behind.
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = file, file
	err = cmd.Run()
	out, readErr := os.ReadFile(file.Name())
	if got := ExitCode(err, POSIX); got != code || string(out) != want || readErr != nil {
		t.Errorf("%q, exit code %d; instead of %q, %d", out, got, want, code)
	}
}

func TestExampleRuntime(t *testing.T) {
	program, missing := buildExample(t, "runtime"), foreign(t)
	runProgram(t, "container 1\n", 7, program, "/bin/sh", "-c", "echo $(hostname) $$; exit 7")
	runProgram(t, "exec "+missing+": exec format error\n", 126, program, missing)
	runProgram(t, "exec /nonexistent: no such file or directory\n", 127, program, "/nonexistent")
	runProgram(t, "usage: runtime PROGRAM [ARG...]\n", 125, program)
}

func TestExampleCreateStart(t *testing.T) {
	program, missing := buildExample(t, "create-start"), foreign(t)
	const usage = "usage: create-start create STATE PROGRAM [ARG...]\n       create-start start STATE PROGRAM\n"
	for _, args := range [][]string{nil, {"create"}, {"create", t.TempDir()}, {"start"}, {"start", t.TempDir()}, {"stop", t.TempDir(), "x"}} {
		runProgram(t, usage, 125, program, args...)
	}
	runProgram(t, "mkfifo /nonexistent/exec.fifo: no such file or directory\n", 125, program, "create", "/nonexistent", "/bin/true")
	for _, test := range []struct {
		path, want string
	}{
		{missing, "exec " + missing + ": exec format error\n"},
		{"/", "exec /: permission denied\n"},
	} {
		state := t.TempDir()
		runProgram(t, "", 0, program, "create", state, test.path)
		runProgram(t, test.want, 126, program, "start", state, test.path)
	}
	// This program waits for the test, so that it still runs when start checks it.
	state, hold := t.TempDir(), filepath.Join(t.TempDir(), "hold")
	if err := syscall.Mkfifo(hold, 0o600); err != nil {
		t.Fatal(err)
	}
	runProgram(t, "", 0, program, "create", state, "/bin/cat", hold)
	runProgram(t, "", 0, program, "start", state, "/bin/cat")
	runProgram(t, state+": started already\n", 125, program, "start", state, "/bin/cat")
	if err := os.WriteFile(hold, nil, 0); err != nil {
		t.Error(err)
	}
	// Repeat it, because the init may or may not be dead yet when start runs.
	for i := 0; i < 20; i++ {
		state := t.TempDir()
		runProgram(t, "", 0, program, "create", state, "/bin/true")
		text, _ := os.ReadFile(filepath.Join(state, "pid"))
		pid, err := strconv.Atoi(string(text))
		if err != nil {
			t.Fatal(err)
		}
		syscall.Kill(pid, syscall.SIGKILL)
		runProgram(t, "exec /bin/true: ended before it started\n", 125, program, "start", state, "/bin/true")
	}
}
