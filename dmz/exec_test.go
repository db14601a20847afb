// SPDX-License-Identifier: MIT

package dmz

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

var routes = []string{"direct", "stub", "fallback"}

// Under an emulator the kernel cannot exec the stub itself.
func skipUnderEmulator(t testing.TB) {
	if os.Getenv("DMZ_TEST_EMULATOR") != "" {
		t.Skip("the kernel cannot exec a stub for " + os.Getenv("DMZ_TEST_EMULATOR"))
	}
}

func TestExecStarts(t *testing.T) {
	skipUnderEmulator(t)
	for _, route := range routes {
		cmd := self("exec", route, "/bin/sh", "another name", "-c", "echo $0 $1; exit 7", "as usual")
		report, status := readReport(t, cmd, "/bin/sh")
		if report != nil || status.ExitStatus() != 7 {
			t.Errorf("%s: %v, status %#x", route, report, status)
		}
	}
}

// The target sees its arguments, its environment and its descriptors, and nothing else.
func TestExecLeavesNothing(t *testing.T) {
	skipUnderEmulator(t)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	plain, err := self("show", "one", "", "three").Output() // there may be descriptors that we have inherited
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range routes {
		cmd := self("exec", route, "/usr/bin/env", "env", modeVariable+"=show", exe, "one", "", "three")
		r, w, err := Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.ExtraFiles = []*os.File{w}
		out, err := cmd.Output()
		w.Close()
		if err != nil || string(out) != string(plain) {
			t.Errorf("%s: %q instead of %q, %v", route, out, plain, err)
		}
		if err := Read(r, 0, exe); err != nil {
			t.Errorf("%s: %v", route, err)
		}
		r.Close()
	}
}

// A file in an image's own /proc is not mistaken for the stub.
func TestExecWithoutProc(t *testing.T) {
	skipUnderEmulator(t)
	if os.Geteuid() != 0 {
		t.Skip("needs mount-namespaces")
	}
	for _, route := range routes {
		var out bytes.Buffer
		cmd := self("image", route, "/bin/sh", "sh", "-c", "echo the target has run")
		cmd.Stdout = &out
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
		report, status := readReport(t, cmd, "/bin/sh")
		if report != nil || status != 0 || out.String() != "the target has run\n" {
			t.Errorf("%s: %q, %v, status %#x", route, out.String(), report, status)
		}
	}
}

// ExecRefused calls Exec on a route, with a filter that refuses a system call.
func execRefused(t *testing.T, route, path string, call uintptr, errno syscall.Errno, args ...int) (error, syscall.WaitStatus) {
	t.Helper()
	skipUnderEmulator(t)
	cmd := self("exec", route, path, "x", "-c", "exit 7")
	refused := fmt.Sprint(call, " ", int(errno))
	for _, arg := range args {
		refused += fmt.Sprint(" ", arg)
	}
	cmd.Env = append(cmd.Env, refuseVariable+"="+refused)
	return readReport(t, cmd, path)
}

// Kernels and filters without execveat(2) return these errnos. The stub is then exec'd through /proc.
func TestExecWithoutExecveat(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOSYS, syscall.EPERM, 0} {
		for _, route := range routes {
			if report, status := execRefused(t, route, "/bin/sh", numberOf(sysExecveat), errno); report != nil || status.ExitStatus() != 7 {
				t.Errorf("%s, errno %d: %v, status %#x", route, errno, report, status)
			}
		}
		report, status := execRefused(t, "stub", "/nonexistent", numberOf(sysExecveat), errno)
		if e := asError(t, report); e.Step != StepExec || e.Errno != syscall.ENOENT || status.ExitStatus() != 127 {
			t.Errorf("errno %d: %+v, status %#x", errno, *e, status)
		}
	}
}

// Any other errno is final. Some are faults of the process, and would hit any exec.
func TestExecOfTheStubFails(t *testing.T) {
	for errno, step := range map[syscall.Errno]uint16{
		syscall.EACCES: StepStub, syscall.ETXTBSY: StepStub, syscall.E2BIG: StepStub, syscall.EAGAIN: StepExec, syscall.ENOMEM: StepExec,
	} {
		report, status := execRefused(t, "stub", "/bin/sh", numberOf(sysExecveat), errno)
		if e := asError(t, report); e.Step != step || e.Errno != errno || (e.Verdict == ExecFailed) != (step == StepExec) || status.ExitStatus() != exitReturned {
			t.Errorf("errno %d: %+v, status %#x", errno, *e, status)
		}
		if report, status := execRefused(t, "fallback", "/bin/sh", numberOf(sysExecveat), errno); report != nil || status.ExitStatus() != 7 {
			t.Errorf("errno %d, with a fallback: %v, status %#x", errno, report, status)
		}
	}
}

// Where execveat(2) works, Exec uses it for the stub, as in C. The refused execve(2) is then the stub's.
func TestExecPrefersExecveat(t *testing.T) {
	report, status := execRefused(t, "stub", "/bin/sh", syscall.SYS_EXECVE, syscall.EACCES)
	if e := asError(t, report); e.Step != StepExec || e.Errno != syscall.EACCES || status.ExitStatus() != 126 {
		t.Errorf("%+v, status %#x", *e, status)
	}
}

func TestExecWithoutFcntl(t *testing.T) {
	for _, route := range routes {
		report, status := execRefused(t, route, "/bin/sh", syscall.SYS_FCNTL, syscall.EPERM, syscall.F_SETFD)
		if route != "stub" {
			if report != nil || status.ExitStatus() != 7 {
				t.Errorf("%s: %v, status %#x", route, report, status)
			}
		} else if e := asError(t, report); e.Step != StepFcntl || e.Errno != syscall.EPERM || status.ExitStatus() != exitReturned {
			t.Errorf("%+v, status %#x", *e, status)
		}
	}
}

// A path that is too long for an argument, and therefore for the stub.
func TestExecPathOfAnyLength(t *testing.T) {
	r, w, err := Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	stub, err := Stub()
	if err != nil {
		t.Fatal(err)
	}
	defer stub.Close()
	path := strings.Repeat("/x", 32*syscall.Getpagesize())
	for _, err := range []error{Exec(int(stub.Fd()), int(w.Fd()), 0, path, nil, nil), Read(r, 0, path), Start(&exec.Cmd{Path: path})} {
		if e := asError(t, err); e.Step != StepExec || e.Errno != syscall.ENAMETOOLONG {
			t.Errorf("%v in step %#x", e.Errno, e.Step)
		}
	}
}

// A root process that goes through the stub uses no privilege. Accounting and audits would show it.
func TestExecUsesNoPrivilege(t *testing.T) {
	skipUnderEmulator(t)
	const pfSuperpriv = 0x100 // include/linux/sched.h
	flags := map[string]uint64{}
	for _, route := range routes {
		var out bytes.Buffer
		cmd := self("exec", route, "/bin/cat", "cat", "/proc/self/stat")
		cmd.Stdout = &out
		if report, status := readReport(t, cmd, "/bin/cat"); report != nil || status != 0 {
			t.Fatalf("%s: %v, status %#x", route, report, status)
		}
		n, err := strconv.ParseUint(strings.Fields(out.String())[8], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		flags[route] = n & pfSuperpriv
	}
	if flags["direct"] != 0 || flags["stub"] != 0 {
		t.Errorf("flags %#x", flags)
	}
}

func TestExecFails(t *testing.T) {
	for _, test := range []struct {
		path   string
		errno  syscall.Errno
		status int // of the stub
	}{
		{"/nonexistent", syscall.ENOENT, 127}, {"", syscall.ENOENT, 127}, {"/", syscall.EACCES, 126}, {"/etc/passwd/x", syscall.ENOTDIR, 126},
	} {
		for _, route := range routes {
			if route != "direct" && os.Getenv("DMZ_TEST_EMULATOR") != "" {
				continue
			}
			report, status := readReport(t, self("exec", route, test.path, "x"), test.path)
			e := asError(t, report)
			want := Error{ExecFailed, test.path, test.errno, int(test.errno), e.Machine, StepExec, StatusUnknown}
			if *e != want || route == "direct" && e.Machine != ownMachine {
				t.Errorf("%s %q: %+v", route, test.path, *e)
			}
			if code := status.ExitStatus(); route == "direct" && code != exitReturned || route != "direct" && code != test.status {
				t.Errorf("%s %q: exit status %d", route, test.path, code)
			}
		}
	}
}

func TestFail(t *testing.T) {
	for _, step := range []uint16{0x8000, 0x8001, 0xfffe} {
		report, _ := readReport(t, self("fail", strconv.Itoa(int(step)), strconv.Itoa(int(syscall.EXDEV))), "/x")
		e := asError(t, report)
		if want := (Error{SetupFailed, "/x", syscall.EXDEV, int(syscall.EXDEV), ownMachine, step, StatusUnknown}); *e != want {
			t.Errorf("%+v", *e)
		}
	}
}

func TestFailRefusesNonsense(t *testing.T) {
	r, w, err := Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fd := int(w.Fd())
	for step, errno := range map[uint16]syscall.Errno{0: 1, 1: 1, 0x7fff: 1, 0xffff: 1, 0x8000: 0, 0x8001: 4096} {
		if err := Fail(fd, step, errno); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("step %#x, errno %d: %v", step, errno, err)
		}
	}
	r.Close()
	if err := Fail(fd, StepCaller, 1); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("without a reader: %v", err)
	}
	w.Close()
	if err := Fail(-1, StepCaller, 1); !errors.Is(err, syscall.EBADF) {
		t.Errorf("without a report: %v", err)
	}
}

// Errors before any exec, in this very process.
func TestExecRefusesNonsense(t *testing.T) {
	r, w, err := Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for what, report := range map[string]int{"none": -1, "the other end": int(r.Fd()), "a closed one": highest} {
		if err := Exec(NoStub, report, 0, "/bin/true", nil, nil); !errors.Is(err, syscall.EBADF) {
			t.Errorf("a report that is %s: %v", what, err)
		}
	}
	for _, flags := range []Flags{2, 3, 1 << 31} {
		if err := Exec(NoStub, int(w.Fd()), flags, "/bin/true", nil, nil); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("flags %#x: %v", uint(flags), err)
		}
	}
	closed, err := Stub()
	if err != nil {
		t.Fatal(err)
	}
	number, err := dupAbove(int(closed.Fd()), 500) // a number that nothing else takes soon
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	syscall.Close(number)
	var none *os.File // as if the caller had ignored the error of Stub
	const ownReport = highest
	for what, test := range map[string]struct {
		stub       int
		flags      Flags
		path       string
		argv, envv []string
		step       uint16
		errno      syscall.Errno
	}{
		"no stub":                {int(none.Fd()), 0, "/bin/true", nil, nil, StepStub, syscall.EBADF},
		"no stub, fallback":      {int(none.Fd()), Fallback, "/bin/true", nil, nil, StepStub, syscall.EBADF},
		"closed":                 {int(closed.Fd()), Fallback, "/bin/true", nil, nil, StepStub, syscall.EBADF},
		"closed number":          {number, Fallback, "/bin/true", nil, nil, StepStub, syscall.EBADF},
		"standard output":        {1, Fallback, "/bin/true", nil, nil, StepStub, syscall.EINVAL},
		"standard error":         {2, 0, "/bin/true", nil, nil, StepStub, syscall.EINVAL},
		"a stub that is none":    {ownReport, 0, "/bin/true", nil, nil, StepStub, syscall.EACCES},
		"NUL in the path":        {NoStub, 0, "/bin/true\x00", nil, nil, StepExec, syscall.EINVAL},
		"NUL in an argument":     {NoStub, 0, "/bin/true", []string{"x", "\x00"}, nil, StepExec, syscall.EINVAL},
		"NUL in the environment": {NoStub, 0, "/bin/true", nil, []string{"A=\x00"}, StepExec, syscall.EINVAL},
		"fallback":               {ownReport, Fallback, "/nonexistent", nil, nil, StepExec, syscall.ENOENT},
	} {
		r, w, err := Pipe()
		if err != nil {
			t.Fatal(err)
		}
		fd, stub := int(w.Fd()), test.stub
		if stub == ownReport {
			stub = fd
		}
		err = Exec(stub, fd, test.flags, test.path, test.argv, test.envv)
		returned, read := asError(t, err), asError(t, Read(r, 0, test.path))
		if *returned != *read || read.Step != test.step || read.Errno != test.errno || (read.Verdict == ExecFailed) != (test.step == StepExec) {
			t.Errorf("%s: returned %+v, reported %+v", what, *returned, *read)
		}
		if flags, errno := fcntl(fd, syscall.F_GETFD, 0); errno != 0 || flags != syscall.FD_CLOEXEC {
			t.Errorf("%s: the report has flags %#x", what, flags)
		}
		w.Close()
	}
}

func TestStubIsSealed(t *testing.T) {
	stub, err := Stub()
	if err != nil {
		t.Fatal(err)
	}
	defer stub.Close()
	assertSealed(t, stub)
}

func assertSealed(t *testing.T, stub *os.File) {
	t.Helper()
	const old = fSealSeal | fSealShrink | fSealGrow | fSealWrite
	seals, errno := fcntl(int(stub.Fd()), fAddSeals+1, 0)
	if errno != 0 || seals&old != old {
		t.Errorf("seals %#x, errno %d", seals, errno)
	}
	info, err := stub.Stat()
	if err != nil || info.Mode() != 0o511 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := syscall.Write(int(stub.Fd()), []byte("x")); err != syscall.EPERM {
		t.Errorf("a write gives %v", err)
	}
	if err := stub.Truncate(0); !errors.Is(err, syscall.EPERM) {
		t.Errorf("truncating it gives %v", err)
	}
	if flags, _ := fcntl(int(stub.Fd()), syscall.F_GETFD, 0); flags != syscall.FD_CLOEXEC || stub.Fd() < 3 {
		t.Errorf("descriptor %d has flags %#x", stub.Fd(), flags)
	}
}

// Each GOARCH of Linux has a stub, built for the machine that its records name. Any other GOARCH is an error.
func TestStubForEachArchitecture(t *testing.T) {
	for _, goarch := range strings.Fields("386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x") {
		image, err := imageFor(goarch)
		if err != nil || !bytes.HasPrefix(image, []byte("\x7fELF")) {
			t.Errorf("%s: %v", goarch, err)
			continue
		}
		var order binary.ByteOrder = binary.LittleEndian
		if elf.Data(image[elf.EI_DATA]) == elf.ELFDATA2MSB {
			order = binary.BigEndian
		}
		if machine := order.Uint16(image[18:]); machine != machines[goarch] {
			t.Errorf("%s: the stub is for machine %d, not %d", goarch, machine, machines[goarch])
		}
	}
	if _, err := imageFor("sparc64"); err != ErrNoStub {
		t.Errorf("sparc64: %v", err)
	}
}

// Each process has its own name for its stubs, of the length that the kernel keeps.
func TestStubHasAName(t *testing.T) {
	name := makeOwnName()
	if len(name) != nameLength || !strings.HasPrefix(name, namePrefix) || makeOwnName() != name {
		t.Errorf("%q, then %q", name, makeOwnName())
	}
	others := map[string]bool{name: true}
	for i := 0; i < 3; i++ {
		out, err := self("name").Output()
		if err != nil || len(out) != nameLength || others[string(out)] {
			t.Errorf("%q, %v", out, err)
		}
		others[string(out)] = true
	}
}
