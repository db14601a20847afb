// SPDX-License-Identifier: MIT

package dmz

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func output(cmd *exec.Cmd, options ...Option) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	err := Start(cmd, options...)
	if err == nil {
		err = Wait(cmd)
	}
	return out.String(), err
}

// For any user.
func TestStartWithSetup(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	setup := Setup{Umask: pointer[uint32](0o27), NoNewPrivs: true, Dir: "/usr", Rlimits: []Rlimit{{syscall.RLIMIT_CORE, 0, 0}}}
	cmd := exec.Command("/bin/sh", "-c", "umask; pwd; ulimit -c; grep NoNewPrivs /proc/$$/status")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := output(cmd, setup)
	if want := "0027\n/usr\n0\nNoNewPrivs:\t1\n"; err != nil || out != want {
		t.Errorf("%q instead of %q, %v", out, want, err)
	}
	if cmd.Path != "/bin/sh" || cmd.ExtraFiles != nil {
		t.Errorf("%+v", cmd)
	}
}

func TestStartWithSetupAsNobody(t *testing.T) {
	needRoot(t)
	setup := asNobody
	setup.Capabilities = &Capabilities{Bounding: ^uint64(0), Permitted: 1 << 5, Effective: 1 << 5, Inheritable: 1 << 5, Ambient: 1 << 5}
	for _, capabilities := range []*Capabilities{nil, setup.Capabilities} {
		setup.Capabilities = capabilities
		want := "0000000000000000"
		if capabilities != nil {
			want = "0000000000000020"
		}
		out, err := output(exec.Command("/bin/sh", "-c", "id -u; id -G; grep CapEff /proc/$$/status"), setup)
		if want = "65534\n65534\nCapEff:\t" + want + "\n"; err != nil || out != want {
			t.Errorf("%q instead of %q, %v", out, want, err)
		}
	}
}

// A step that fails has its name, its errno, and the exit code of the policy.
func TestStartWithSetupFails(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	cmd := exec.Command("/bin/true")
	cmd.Stdin = untouched{t}
	err := Start(cmd, Setup{Dir: "/nonexistent"})
	var e *Error
	if !errors.As(err, &e) || e.Verdict != SetupFailed || e.Step != StepDirectory || !errors.Is(err, syscall.ENOENT) {
		t.Errorf("%#v", err)
	}
	if want := "exec /bin/true: cannot change to the working directory (ENOENT)"; err.Error() != want || cmd.Process != nil {
		t.Errorf("%q instead of %q, %v", err, want, cmd.Process)
	}
	if ExitCode(err, POSIX) != 125 || ExitCode(err, Systemd) != 200 {
		t.Errorf("exit codes %d, %d", ExitCode(err, POSIX), ExitCode(err, Systemd))
	}
	err = Start(&exec.Cmd{Path: "/etc/passwd"}, Setup{NoNewPrivs: true})
	if err == nil || err.Error() != "exec /etc/passwd: permission denied" || ExitCode(err, POSIX) != 126 {
		t.Error(err)
	}
	err = Start(exec.Command("no-such-program"), Setup{NoNewPrivs: true})
	var search *exec.Error
	if !errors.As(err, &search) || ExitCode(err, POSIX) != 127 {
		t.Errorf("%#v", err)
	}
	// A failure of SysProcAttr is not one of the stub.
	cmd = exec.Command("/bin/true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: 1 << 30}
	err = Start(cmd, Setup{NoNewPrivs: true})
	if !errors.As(err, &e) || e.Step != StepProcess {
		t.Errorf("%#v", err)
	}
}

// The descriptors of a setup are those of the child, and the report is above them.
func TestStartWithDescriptors(t *testing.T) {
	skipUnderEmulator(t)
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	cmd := self("show")
	cmd.ExtraFiles = []*os.File{null, null}
	out, err := output(cmd, Setup{Descriptors: []Descriptor{{4, 9}, {3, 4}, {9, 3}}})
	if e := asError(t, err); e.Step != StepDescriptors || e.Errno != syscall.EBADF || out != "" {
		t.Errorf("%q, %v", out, err)
	}
	cmd = self("show")
	cmd.ExtraFiles = []*os.File{null, null}
	if out, err := output(cmd, Setup{Descriptors: []Descriptor{{4, 9}, {3, 4}}}); err != nil || !strings.HasSuffix(out, "] 4 9\n") {
		t.Errorf("%q, %v", out, err)
	}
	if len(cmd.ExtraFiles) != 2 {
		t.Errorf("%d files", len(cmd.ExtraFiles))
	}
}

// However the stub is lost, the program does not run as root.
func TestStartNeverSkipsASetup(t *testing.T) {
	needRoot(t)
	warmUp(t)
	defer assertNothingLeft(t)()
	shell := func() *exec.Cmd { return exec.Command("/bin/sh", "-c", "id -u") }
	with := func(attr syscall.SysProcAttr) *exec.Cmd {
		cmd := shell()
		cmd.SysProcAttr = &attr
		return cmd
	}
	plain, err := Stub()
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	stub, err := asNobody.Stub()
	if err != nil {
		t.Fatal(err)
	}
	defer stub.Close()
	link := shell()
	link.Path = "/proc/self/root/bin/sh"
	long := shell()
	long.Args = append(long.Args, strings.Repeat("x", 1<<17))
	invalid, tooHigh := asNobody, asNobody
	invalid.Nice = pointer(77)
	tooHigh.Descriptors = []Descriptor{{0, 1 << 20}}
	for what, test := range map[string]struct {
		cmd     *exec.Cmd
		options []Option
		step    uint16
	}{
		"Ptrace":      {with(syscall.SysProcAttr{Ptrace: true}), []Option{asNobody}, StepStub},
		"Chroot":      {with(syscall.SysProcAttr{Chroot: "/"}), []Option{asNobody}, StepStub},
		"AmbientCaps": {with(syscall.SysProcAttr{AmbientCaps: []uintptr{5}}), []Option{asNobody}, StepStub},
		"Direct":      {shell(), []Option{asNobody, Direct()}, StepStub},
		"no setup":    {shell(), []Option{asNobody, Through(plain)}, StepStub},
		"no stub":     {shell(), []Option{asNobody, Through(nil)}, StepStub},
		"no option":   {shell(), []Option{Through(stub)}, StepStub},
		"a link":      {link, []Option{asNobody}, StepStub},
		"too long":    {long, []Option{asNobody}, StepExec},
		"invalid":     {shell(), []Option{invalid}, StepNice},
		"too high":    {shell(), []Option{tooHigh}, StepStub},
		"two":         {shell(), []Option{asNobody, Setup{NoNewPrivs: true}}, StepStub},
	} {
		out, err := output(test.cmd, test.options...)
		var e *Error
		if out != "" || !errors.As(err, &e) || e.Step != test.step || e.Path != test.cmd.Path || test.cmd.Process != nil {
			t.Errorf("%s: %q, %v, %+v", what, out, err, e)
		}
	}
	for _, call := range []call{sysMemfdCreate, sysExecve, sysSetresuid} {
		withFilter(t, func() {
			if out, err := output(shell(), asNobody); out != "" || err == nil {
				t.Errorf("without call %d: %q, %v", numberOf(call), out, err)
			}
		}, seccompErrno|uint32(syscall.EPERM), numberOf(call))
	}
	for _, way := range []string{"image", "shell"} {
		cmd := self("start-setup", way)
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		out, err := cmd.Output()
		if want := map[string]string{"image": "an error\n", "shell": "65534\n"}[way]; string(out) != want {
			t.Errorf("%s: %q, %v", way, out, err)
		}
	}
}

// ChildStart starts a shell as nobody, where an image may have its own /proc.
func childStart(way string) {
	if way == "image" {
		mountImage()
	}
	cmd := exec.Command("/bin/sh", "-c", "id -u")
	cmd.Stdout = os.Stdout
	if err := Start(cmd, asNobody); err != nil {
		fmt.Println("an error")
		os.Exit(0)
	}
	cmd.Wait()
	os.Exit(0)
}

// In a new user namespace the setup becomes another of its users. Root outside of it has no part in that.
func TestStartWithSetupInUserNamespace(t *testing.T) {
	needRoot(t)
	cmd := exec.Command("/bin/sh", "-c", "id -u; cat /proc/self/uid_map")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: 100000, Size: 1000}, {ContainerID: 1000, HostID: 0, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: 100000, Size: 1000}},
		Credential:  &syscall.Credential{}, GidMappingsEnableSetgroups: true}
	out, err := output(cmd, Setup{Credential: &syscall.Credential{Uid: 7, Gid: 7}})
	if err != nil {
		if e, ok := err.(*Error); ok && e.Step == StepProcess {
			t.Skip("needs user-namespaces")
		}
	}
	if err != nil || !strings.HasPrefix(out, "7\n") {
		t.Errorf("%q, %v", out, err)
	}
}

// One stub can serve many children.
func TestStartWithStubOfSetup(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	setup := Setup{Umask: pointer[uint32](0o27)}
	stub, err := setup.Stub()
	if err != nil {
		t.Fatal(err)
	}
	defer stub.Close()
	for i := 0; i < 2; i++ {
		if out, err := output(exec.Command("/bin/sh", "-c", "umask"), Through(stub), setup); err != nil || out != "0027\n" {
			t.Errorf("%q, %v", out, err)
		}
	}
}

func TestStartManyWithSetup(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	var wait sync.WaitGroup
	for i := 0; i < 50; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			setup := Setup{Umask: pointer(uint32(i))}
			if i%3 == 0 {
				setup.Dir = "/nonexistent"
			}
			out, err := output(exec.Command("/bin/sh", "-c", "umask"), setup)
			if i%3 == 0 {
				if e, ok := err.(*Error); !ok || e.Step != StepDirectory {
					t.Errorf("%q, %v", out, err)
				}
			} else if want := fmt.Sprintf("%04o\n", i); out != want || err != nil {
				t.Errorf("%q instead of %q, %v", out, want, err)
			}
		}(i)
	}
	wait.Wait()
}
