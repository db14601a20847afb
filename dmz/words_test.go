// SPDX-License-Identifier: MIT

package dmz

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Go's words where they differ from ours on some GOARCHes or all. Three errors have no words in Go.
var otherWords = map[string]string{
	"stale file handle":              "stale NFS file handle",
	"memory page has hardware error": "",
	"initialization error":           "", // EINIT and EREMDEV are mips's only
	"remote device error":            "",
}

func TestWordsAreGos(t *testing.T) {
	for n := syscall.Errno(1); n <= maxErrno; n++ {
		got, want := errnoWords(n), n.Error()
		want = strings.Replace(want, "unknown error ", "errno ", 1) // on some GOARCHes
		other, ok := otherWords[got]
		if ok && other == "" {
			other = "errno " + strconv.Itoa(int(n))
		}
		if got != want && !(ok && want == other) {
			t.Errorf("errno %d: %q instead of Go's %q", n, got, want)
		}
	}
}

// The committed file is generated from the current tables.
func TestTablesAreGenerated(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil || os.Getenv("DMZ_TEST_EMULATOR") != "" {
		t.Skip("no go command")
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "dmz"), 0o755); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob("*.def")
	if err != nil || len(tables) < 6 {
		t.Fatalf("%v, %v", tables, err)
	}
	for _, name := range append(tables, "architectures", "gen.go") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "dmz", name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	gen := exec.Command("go", "run", "gen.go")
	gen.Dir = filepath.Join(dir, "dmz")
	if out, err := gen.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want, err := os.ReadFile(filepath.Join(dir, "dmz/tables_linux.go"))
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("tables_linux.go")
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(have) {
		t.Error("tables_linux.go is not what dmz/*.def and dmz/architectures give: run go generate ./dmz")
	}
}

func TestNumbersOfOthers(t *testing.T) {
	for _, test := range []struct {
		machine, raw uint16
		name         string
		want         syscall.Errno
	}{
		{8, 90, "mips", syscall.ELOOP},
		{0x9026, 62, "alpha", syscall.ELOOP},
		{43, 62, "sparc", syscall.ELOOP},
		{15, 249, "parisc", syscall.ELOOP},
		{62, 40, "x86-64", syscall.ELOOP},
		{0xfff0, 8, "a machine that nobody knows", syscall.ENOEXEC},
		{8, 56, "EDEADLOCK of mips", syscall.EDEADLOCK},
		{21, 58, "EDEADLOCK of powerpc", syscall.EDEADLOCK},
		{62, 35, "EDEADLOCK of x86-64", syscall.EDEADLK},
		{62, 58, "a number that x86-64 has no error for", 0},
		{8, 4000, "a number that mips has no error for", 0},
		{21, 4000, "a number that powerpc has no error for", 0},
	} {
		if familyOf(ownMachine) == familyOf(test.machine) && test.want == 0 {
			continue
		}
		if got := hostErrno(test.machine, test.raw); got != test.want {
			t.Errorf("%s: %d is %d instead of %d here", test.name, test.raw, got, test.want)
		}
	}
}

func TestErrorUnwraps(t *testing.T) {
	e := &Error{Verdict: ExecFailed, Path: "x", Errno: syscall.ENOENT}
	if !errors.Is(e, syscall.ENOENT) || !errors.Is(e, fs.ErrNotExist) || errors.Is(e, syscall.EACCES) {
		t.Error("an Error of ENOENT is not found to be that")
	}
	if err := (&Error{Verdict: Died}).Unwrap(); err != nil {
		t.Errorf("%v without an errno", err)
	}
}

func TestErrorText(t *testing.T) {
	const signal = syscall.WaitStatus(syscall.SIGKILL)
	for want, e := range map[string]*Error{
		"exec /x: exec format error":                                         {Verdict: ExecFailed, Path: "/x", Errno: syscall.ENOEXEC},
		"exec : exec format error":                                           {Verdict: ExecFailed, Errno: syscall.ENOEXEC},
		"exec /x: refused without an errno":                                  {Verdict: ExecFailed, Path: "/x"},
		"exec /x: errno 4000 of machine 8":                                   {Verdict: ExecFailed, Path: "/x", Raw: 4000, Machine: 8},
		"exec /x: cannot start the stub (EACCES)":                            {Verdict: SetupFailed, Path: "/x", Errno: syscall.EACCES, Step: StepStub},
		"exec /x: cannot set close-on-exec on the report (EPERM)":            {Verdict: SetupFailed, Path: "/x", Errno: syscall.EPERM, Step: StepFcntl},
		"exec /x: cannot set up the process (EPERM)":                         {Verdict: SetupFailed, Path: "/x", Errno: syscall.EPERM, Step: StepProcess},
		"exec /x: set-up step 7 failed (ENOENT)":                             {Verdict: SetupFailed, Path: "/x", Errno: syscall.ENOENT, Step: 0x8007},
		"exec /x: set-up step 0 failed (errno 4000)":                         {Verdict: SetupFailed, Path: "/x", Errno: 4000, Step: 0x8000},
		"exec /x: killed by SIGKILL before it started":                       {Verdict: Died, Path: "/x", Status: signal},
		"exec /x: killed by signal 40 before it started":                     {Verdict: Died, Path: "/x", Status: 40},
		"exec /x: exited with status 126 before it started":                  {Verdict: Died, Path: "/x", Status: 126 << 8},
		"exec /x: ended before it started":                                   {Verdict: Died, Path: "/x", Status: StatusUnknown},
		"exec /x: cannot tell whether it started (reaped by somebody else?)": {Verdict: Closed, Path: "/x", Status: StatusUnknown},
		"exec /x: killed by SIGKILL; whether it started is unknown":          {Verdict: Closed, Path: "/x", Status: signal},
		`exec a\nb\r\t\x1b[1m\x7f\xc2\x9b` + "\xff\u00e4: is a directory":    {Verdict: ExecFailed, Path: "a\nb\r\t\x1b[1m\x7f\u009b\xff\u00e4", Errno: syscall.EISDIR},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
}

// The command prints the same line for the same record, for each error, step and machine.
func TestErrorTextIsTheCommands(t *testing.T) {
	command := built(t, "errpipe")
	paths := []string{"/bin/app", "a\nb \x1b\u009b\xff\xc2", "\u00e4 \xe2\x82"}
	check := func(record []byte, path string) {
		e, err := Decode(record, path)
		if err != nil {
			t.Fatal(err)
		}
		decode := exec.Command(command, "decode", "--path", path)
		decode.Stdin = strings.NewReader(string(record))
		out, err := decode.Output()
		if err != nil {
			t.Fatal(err)
		}
		if string(out) != e.Error()+"\n" {
			t.Errorf("%x: %q instead of the command's %q", record, e.Error(), out)
		}
	}
	for i, e := range errnos {
		for _, machine := range []byte{62, 8, 41, 2, 15, 21} {
			n := e.in(familyOf(uint16(machine)))
			check([]byte{'d', 'm', 'z', 1, machine, 0, 0, 0, byte(n), byte(n >> 8), 0, 0, 0, 0, 0, 0}, paths[i%len(paths)])
		}
	}
	for _, step := range []uint16{StepExec, StepFcntl, StepCaller, 0x8123, stepCallerLast, StepStub} {
		check([]byte{'d', 'm', 'z', 1, 62, 0, byte(step), byte(step >> 8), 13, 0, 0, 0, 0, 0, 0, 0}, "/x")
		check([]byte{'d', 'm', 'z', 1, 8, 0, byte(step), byte(step >> 8), 0xa0, 0x0f, 0, 0, 0, 0, 0, 0}, "/x")
	}
}

func TestExitCodeOfOthers(t *testing.T) {
	if code := ExitCode(nil, Runc); code != 0 {
		t.Errorf("%d for nil", code)
	}
	if code := ExitCode(errors.New("any"), Systemd); code != 203 {
		t.Errorf("%d for any error", code)
	}
	if code := ExitCode(&Error{Verdict: Died, Status: 9}, POSIX); code != 137 {
		t.Errorf("%d for a death by SIGKILL", code)
	}
	if code := ExitCode(&Error{Verdict: Closed, Status: StatusUnknown}, POSIX); code != 125 {
		t.Errorf("%d for no status", code)
	}
	if code := ExitCode(exec.Command("/bin/sh", "-c", "exit 7").Run(), POSIX); code != 7 {
		t.Errorf("%d for exit 7", code)
	}
	if code := ExitCode(exec.Command("/bin/sh", "-c", "kill -9 $$").Run(), POSIX); code != 137 {
		t.Errorf("%d for kill -9", code)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for a policy that does not exist")
		}
	}()
	ExitCode(errors.New("any"), 4)
}

// A program that exec.Command did not find, for each kind of search. The codes are those of POSIX, Dockerd, Runc, Systemd.
func TestExitCodeOfASearch(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"program": 0o755, "text": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", ".:/bin")
	old, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	defer os.Chdir(old)
	if err := os.Chdir(dir); err != nil {
		t.Fatal(err)
	}
	for name, codes := range map[string][4]int{
		"no-such-program":          {127, 127, 255, 203},
		"":                         {127, 127, 255, 203},
		"./no-such-program":        {127, 127, 255, 203},
		"/nonexistent/x":           {127, 127, 255, 203},
		"text":                     {127, 127, 255, 203}, // Go finds it, goes on searching, and does not report it
		"program":                  {126, 126, 255, 203}, // exec.ErrDot
		"./text":                   {126, 126, 255, 203},
		"/":                        {126, 126, 255, 203},
		"/etc/passwd/x":            {126, 127, 255, 203},
		strings.Repeat("x/", 2048): {126, 128, 255, 203},
	} {
		for policy, want := range codes {
			err := Start(exec.Command(name))
			if code := ExitCode(fmt.Errorf("wrapped: %w", err), Policy(policy)); code != want {
				t.Errorf("%q, policy %d: %v has exit code %d instead of %d", name, policy, err, code, want)
			}
		}
	}
	// In a Cmd literal, without a search, "" fails as it does in execve(2).
	if e := asError(t, Start(&exec.Cmd{})); e.Verdict != ExecFailed || e.Errno != syscall.ENOENT || ExitCode(e, POSIX) != 127 {
		t.Errorf("%+v", *e)
	}
	if code := ExitCode(&exec.Error{Name: "x", Err: errors.New("any")}, POSIX); code != 125 {
		t.Errorf("%d for any error of a search", code)
	}
}
