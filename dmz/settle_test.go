// SPDX-License-Identifier: MIT

package dmz

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// A process that waits under a name, like an init, until it is told how to continue.
func held(t *testing.T, args ...string) (cmd *exec.Cmd, r *os.File, tell func()) {
	t.Helper()
	cmd = self("hold", args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return cmd, r, func() { in.Close() }
}

const heldName = "go-init:[held]"

func TestSettle(t *testing.T) {
	skipUnderEmulator(t)
	for _, test := range []struct {
		what   string
		args   []string
		kill   bool
		want   Verdict // 0: started
		status syscall.WaitStatus
	}{
		{"killed in the init", nil, true, Died, 9},
		{"an init that ends by itself", []string{"exit", "1"}, false, Died, 1 << 8},
		{"a target", []string{"exec", "/bin/true"}, false, 0, 0},
		{"a target that ends like a stub", []string{"exec", "/bin/sh", "-c", "exit 126"}, false, 0, 126 << 8},
		{"a target that goes through a stub of its own", []string{"exec", "/bin/sh", "-c", "exec $0 2 '' x 2>/dev/null", "@dmz"}, false, Closed, 127 << 8},
	} {
		if len(test.args) > 0 && test.args[len(test.args)-1] == "@dmz" {
			test.args[len(test.args)-1] = built(t, "dmz")
		}
		cmd, r, tell := held(t, test.args...)
		if test.kill {
			cmd.Process.Kill()
		} else {
			tell()
		}
		if err := Read(r, 0, "/x"); err != nil {
			t.Errorf("%s: %v", test.what, err)
		}
		err := Settle(cmd.Process.Pid, "/x", heldName)
		if test.want == 0 {
			if err != nil {
				t.Errorf("%s: %v", test.what, err)
			}
		} else if e := asError(t, err); e.Verdict != test.want || e.Status != test.status {
			t.Errorf("%s: %+v", test.what, *e)
		}
		// It is still there to be reaped.
		cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status != test.status {
			t.Errorf("%s: status %#x", test.what, status)
		}
		r.Close()
	}
}

// The same at end of file, as far as it can be known then.
func TestReadLooks(t *testing.T) {
	skipUnderEmulator(t)
	cmd, r, tell := held(t, "exec", "/bin/sleep", "1000")
	tell()
	if err := Read(r, cmd.Process.Pid, "/x"); err != nil {
		t.Error(err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	r.Close()
}

func TestSettleWhatCannotBe(t *testing.T) {
	for _, pid := range []int{0, -1} {
		if err := Settle(pid, "/x"); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%d: %v", pid, err)
		}
	}
	if e := asError(t, Settle(os.Getppid(), "/x")); e.Verdict != Closed || e.Status != StatusUnknown {
		t.Errorf("%+v", *e)
	}
	cmd := exec.Command("/bin/true")
	cmd.Run()
	if e := asError(t, Settle(cmd.Process.Pid, "/x")); e.Verdict != Closed {
		t.Errorf("%+v", *e)
	}
}

// The content of /proc/PID/stat decides.
func TestVerdictOfAProcess(t *testing.T) {
	const kill, exit1 = syscall.WaitStatus(9), syscall.WaitStatus(1 << 8)
	makeOwnName()
	other := namePrefix + strings.Repeat("!", nameLength-len(namePrefix))
	for _, test := range []struct {
		process process
		status  syscall.WaitStatus
		want    Verdict
	}{
		{process{"sh", 0}, kill, 0},
		{process{"sh", pfForknoexec}, exit1, Died},
		{process{ownName(), 0}, kill, Died},
		{process{ownName(), 0}, exit1, 0},
		{process{other, 0}, kill, 0},
		{process{"7", 0}, kill, Closed},
		{process{"7", 0}, StatusUnknown, Closed},
		{process{"7", 0}, exit1, 0},
		{process{"dmz", 0}, 126 << 8, Closed},
		{process{"init", 0}, exit1, Died},
		{process{"a name that is ", 0}, exit1, Died},
		{process{"a name that is", 0}, exit1, 0},
	} {
		if got := anyStub([]string{"init", "a name that is longer than the kernel's"})(&test.process, test.status); got != test.want {
			t.Errorf("%+v, status %#x: %d instead of %d", test.process, test.status, got, test.want)
		}
	}
}

// The same for a child of Start, whose stub is called "7".
func TestVerdictOfAChildOfStart(t *testing.T) {
	const kill, exit0 = syscall.WaitStatus(9), syscall.WaitStatus(0)
	for _, test := range []struct {
		process    process
		status     syscall.WaitStatus
		stub, path string
		want       Verdict
	}{
		{process{"sh", 0}, kill, "7", "/bin/sh", 0},
		{process{"8", 0}, kill, "7", "/bin/sh", 0},
		{process{"dmz", 0}, kill, "7", "/bin/dmz", 0},
		{process{"sh", pfForknoexec}, kill, "7", "/bin/sh", Died},
		{process{"sh", pfForknoexec}, kill, "", "/bin/sh", Died},
		{process{"7", 0}, kill, "7", "/bin/sh", Died},
		{process{"7", 0}, 125 << 8, "7", "/bin/77", Died},
		{process{"7", 0}, exit0, "7", "/bin/sh", 0},
		{process{"7", 0}, kill, "7", "/bin/7", Closed},
		{process{"7", 0}, kill, "7", "7", Closed},
		{process{"7", 0}, kill, "", "/bin/7", 0},
		{process{"", 0}, kill, "", "/bin/", 0},
	} {
		if got := stubNamed(test.stub, test.path)(&test.process, test.status); got != test.want {
			t.Errorf("%+v: %d", test, got)
		}
	}
}

// A process cannot be inspected once it is reaped, or without /proc. Then only its status is known.
func TestStartedUnseen(t *testing.T) {
	cmd := exec.Command("/bin/true")
	cmd.Run()
	if err := started(cmd.Process.Pid, "/bin/true", "7"); err != nil {
		t.Errorf("reaped by somebody else: %v", err)
	}
	if e := settleChild(cmd.Process.Pid, "/bin/true"); e != nil {
		t.Errorf("reaped by somebody else: %v", e)
	}
	for status, want := range map[syscall.WaitStatus]bool{0: false, 1 << 8: false, 125 << 8: true, 127 << 8: true, 253 << 8: true, 254 << 8: false, 9: true} {
		if got := mayBeUnfinished(status); got != want {
			t.Errorf("status %#x: %t", status, got)
		}
	}
	for _, test := range []struct {
		status syscall.WaitStatus
		stub   string
		want   bool
	}{
		{9, "7", true}, {9, "", true}, {125 << 8, "7", true}, {125 << 8, "", false}, {0, "7", false}, {StatusUnknown, "7", false},
	} {
		if got := mayNotHaveStarted(test.status, test.stub); got != test.want {
			t.Errorf("%+v: %t", test, got)
		}
	}
}
