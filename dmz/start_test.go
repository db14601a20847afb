// SPDX-License-Identifier: MIT

package dmz

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

func startAndWait(t *testing.T, cmd *exec.Cmd) error {
	t.Helper()
	if err := Start(cmd); err != nil {
		t.Fatal(err)
	}
	return Wait(cmd)
}

// A child that ended before it became the program may be noticed by Start, or only by Wait.
func startOrWait(cmd *exec.Cmd, options ...Option) error {
	if err := Start(cmd, options...); err != nil {
		return err
	}
	return Wait(cmd)
}

// The numbers of descriptors and goroutines, which must be the same before and after. A goroutine that has just returned may
// take a moment to disappear.
func assertNothingLeft(t *testing.T) func() {
	count := func() (fds, goroutines int) {
		for fd := 0; fd < 1024; fd++ {
			if _, errno := fcntl(fd, syscall.F_GETFD, 0); errno == 0 {
				fds++
			}
		}
		return fds, runtime.NumGoroutine()
	}
	fds, goroutines := count()
	return func() {
		t.Helper()
		for i := 0; ; i++ {
			fdsNow, goroutinesNow := count()
			if fdsNow <= fds && goroutinesNow <= goroutines {
				break
			}
			if i == 1000 {
				t.Errorf("%d descriptors, %d goroutines instead of %d, %d", fdsNow, goroutinesNow, fds, goroutines)
				break
			}
			time.Sleep(time.Millisecond)
		}
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != syscall.ECHILD {
			t.Errorf("there is a child: %d, %v", pid, err)
		}
	}
}

// The first start opens what the runtime needs for all others.
func warmUp(t *testing.T) {
	startAndWait(t, exec.Command("/bin/true"))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.Close()
}

func TestStart(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	cmd := exec.Command("/bin/sh", "-c", "cat; echo \"out of $0 $1\" >&2; exit 7", "a b", "")
	path, args := cmd.Path, strings.Join(cmd.Args, "|")
	var out, errs bytes.Buffer
	in := strings.NewReader(strings.Repeat("in\n", 100000))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &errs
	if err := Start(cmd); err != nil {
		t.Fatal(err)
	}
	if cmd.Path != path || strings.Join(cmd.Args, "|") != args || cmd.ExtraFiles != nil || cmd.Stdin != in || cmd.Process == nil {
		t.Errorf("cmd was changed: %+v", cmd)
	}
	if code := ExitCode(cmd.Wait(), POSIX); code != 7 {
		t.Errorf("exit code %d", code)
	}
	if out.Len() != 300000 || errs.String() != "out of a b \n" {
		t.Errorf("%d bytes, %q", out.Len(), errs.String())
	}
}

// Wherever the descriptors are that become 3, 4 and so on, the program has these under these numbers, and no others.
func TestStartExtraFiles(t *testing.T) {
	skipUnderEmulator(t)
	plain := self("show")
	if out, err := plain.Output(); err != nil || !bytes.HasSuffix(out, []byte("]\n")) {
		t.Fatalf("%q, %v", out, err)
	}
	var files []*os.File
	for i := 0; i < 12; i++ {
		file, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		fmt.Fprintf(file, "file %d\n", i)
		files = append(files, file)
	}
	for n := 0; n <= len(files); n++ {
		for _, order := range []int{0, 1, 2} {
			var extra []*os.File
			want := ""
			for i := 0; i < n; i++ {
				file := files[i]
				if order == 1 {
					file = files[len(files)-1-i]
				} else if order == 2 && i%2 == 0 {
					file = os.Stdin // a low number at a high place
				}
				extra = append(extra, file)
				want += fmt.Sprintf(" %d", 3+i)
			}
			var out bytes.Buffer
			cmd := self("show")
			cmd.ExtraFiles, cmd.Stdout = extra, &out
			if order == 2 {
				cmd.Stderr = os.Stdout // a low number again
			}
			if err := startAndWait(t, cmd); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); !strings.HasSuffix(got, "]"+want+"\n") {
				t.Errorf("%d files, order %d: %q instead of %q", n, order, got, want)
			}
			for i := range extra {
				if extra[i].Fd() == ^uintptr(0) {
					t.Fatalf("file %d was closed", i)
				}
			}
			if len(cmd.ExtraFiles) != n {
				t.Errorf("%d extra files afterwards", len(cmd.ExtraFiles))
			}
		}
	}
}

// The same for the files that these numbers refer to.
func TestStartExtraFilesAreThese(t *testing.T) {
	var extra []*os.File
	for i := 0; i < 5; i++ {
		file, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		fmt.Fprintf(file, "%d", i)
		file.Seek(0, io.SeekStart)
		extra = append(extra, file)
	}
	var out bytes.Buffer
	cmd := exec.Command("/bin/sh", "-c", "cat <&7 <&7; cat <&3; cat <&5; cat <&4; cat <&6")
	cmd.ExtraFiles, cmd.Stdout = extra, &out
	if err := startAndWait(t, cmd); err != nil || out.String() != "40213" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestStartDirAndEnv(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "prog"), []byte("#!/bin/sh\npwd; echo $A\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := &exec.Cmd{Path: "./prog", Args: []string{"prog"}, Dir: dir, Env: []string{"A=b"}, Stdout: &out}
	if err := startAndWait(t, cmd); err != nil || out.String() != dir+"\nb\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	cmd = &exec.Cmd{Path: "/bin/true", Dir: filepath.Join(dir, "missing")}
	if err := Start(cmd); !errors.Is(err, syscall.ENOENT) || cmd.Process != nil {
		t.Errorf("without its directory: %v", err)
	}
}

func TestStartWithoutArgs(t *testing.T) {
	var out bytes.Buffer
	cmd := &exec.Cmd{Path: "/bin/cat", Stdin: strings.NewReader("x"), Stdout: &out}
	if err := startAndWait(t, cmd); err != nil || out.String() != "x" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// The properties of a process, from the fields of /proc/self/stat.
func statOf(t *testing.T, attr *syscall.SysProcAttr) []string {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command("/bin/cat", "/proc/self/stat")
	cmd.SysProcAttr, cmd.Stdout = attr, &out
	if err := startAndWait(t, cmd); err != nil {
		t.Fatal(err)
	}
	return strings.Fields(out.String())
}

func TestStartSetsid(t *testing.T) {
	if stat := statOf(t, &syscall.SysProcAttr{Setsid: true}); stat[5] != stat[0] {
		t.Errorf("session %s of process %s", stat[5], stat[0])
	}
}

func TestStartSetpgid(t *testing.T) {
	if stat := statOf(t, &syscall.SysProcAttr{Setpgid: true}); stat[4] != stat[0] {
		t.Errorf("group %s of process %s", stat[4], stat[0])
	}
}

func TestStartCtty(t *testing.T) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	var number, unlock int32
	for request, argument := range map[uintptr]*int32{syscall.TIOCGPTN: &number, syscall.TIOCSPTLCK: &unlock} {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(argument))); errno != 0 {
			t.Fatal(errno)
		}
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer slave.Close()
	var out bytes.Buffer
	cmd := exec.Command("/bin/sh", "-c", "tty </dev/tty >/dev/null && ps -o tty= -p $$")
	cmd.Stdin, cmd.Stdout = slave, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := startAndWait(t, cmd); err != nil || strings.TrimSpace(out.String()) != fmt.Sprintf("pts/%d", number) {
		t.Errorf("%q, %v", out.String(), err)
	}
}

// Pdeathsig must reach the program, so it must survive the exec of the stub.
func TestStartPdeathsig(t *testing.T) {
	skipUnderEmulator(t)
	var out bytes.Buffer
	cmd := self("pdeathsig")
	cmd.Stdout = &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGUSR2}
	// The signal is sent when the forking thread ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := startAndWait(t, cmd); err != nil || out.String() != "12\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestStartCredential(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	var out bytes.Buffer
	cmd := exec.Command("/bin/sh", "-c", "id -u; id -g; grep Cap[PE] /proc/self/status")
	cmd.Stdout = &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	const none = "0000000000000000\n"
	if err := startAndWait(t, cmd); err != nil || out.String() != "65534\n65534\nCapPrm:\t"+none+"CapEff:\t"+none {
		t.Errorf("%q, %v", out.String(), err)
	}
	if !isNeutral(cmd) {
		t.Error("root who becomes a user is not neutral")
	}
}

func TestStartCloneflags(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs pid-namespaces")
	}
	var out bytes.Buffer
	cmd := exec.Command("/bin/sh", "-c", "echo $$")
	cmd.Stdout = &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if err := startAndWait(t, cmd); err != nil || out.String() != "1\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestStartIsDirectWhereItMustBe(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	for name, attr := range map[string]*syscall.SysProcAttr{
		"chroot":      {Chroot: "/"},
		"ptrace":      {Ptrace: true},
		"ambient":     {AmbientCaps: []uintptr{10}},
		"user":        {Cloneflags: syscall.CLONE_NEWUSER},
		"unshared":    {Unshareflags: syscall.CLONE_NEWUSER},
		"credentials": {Credential: &syscall.Credential{Uid: 1}},
	} {
		cmd := exec.Command("/bin/true")
		cmd.SysProcAttr = attr
		if neutral := isNeutral(cmd); neutral != (name == "credentials") {
			t.Errorf("%s: %t", name, neutral)
		}
	}
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: "/"}
	if err := startAndWait(t, cmd); err != nil {
		t.Error(err)
	}
	cmd = exec.Command("/nonexistent")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: "/"}
	if e := asError(t, Start(cmd)); e.Verdict != ExecFailed || e.Errno != syscall.ENOENT || e.Path != "/nonexistent" {
		t.Errorf("%+v", *e)
	}
}

// The capabilities that a process has in its new user namespace last until its first exec.
func TestStartInItsOwnUserNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	directory := t.TempDir() + "/closed"
	if err := os.Mkdir(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	bytes, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(directory+"/true", bytes, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(directory, 0); err != nil {
		t.Fatal(err)
	}
	ids := []syscall.SysProcIDMap{{ContainerID: 1000, HostID: 0, Size: 1}}
	for name, attr := range map[string]*syscall.SysProcAttr{
		"cloned":   {Cloneflags: syscall.CLONE_NEWUSER, UidMappings: ids, GidMappings: ids},
		"unshared": {Unshareflags: syscall.CLONE_NEWUSER, UidMappings: ids, GidMappings: ids},
	} {
		cmd := exec.Command(directory + "/true")
		cmd.SysProcAttr = attr
		if err := startAndWait(t, cmd); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Through the stub, this would be the stub.
func TestStartProcSelfExe(t *testing.T) {
	skipUnderEmulator(t)
	dir := t.TempDir()
	if err := os.Symlink("/proc/self/exe", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for path, in := range map[string]string{"/proc/self/exe": "", filepath.Join(dir, "link"): "/", "./link": dir} {
		cmd := self("show", "one")
		cmd.Path, cmd.Dir = path, in
		out, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		cmd.Stdout = out
		if err := startAndWait(t, cmd); err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(out.Name()); err != nil || !strings.Contains(string(text), `"one"`) {
			t.Errorf("%s in %q: %q, %v", path, in, text, err)
		}
	}
}

func TestStartContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "/bin/sleep", "1000")
	if err := Start(cmd); err != nil {
		t.Fatal(err)
	}
	cancel()
	err := cmd.Wait()
	if code := ExitCode(err, POSIX); code != 137 {
		t.Errorf("%v, exit code %d", err, code)
	}
	if err := Start(exec.CommandContext(ctx, "/bin/true")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// The context may kill the process at any time: a program that does not exist is never reported as started.
func TestStartContextKillsTheStub(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	for i := 0; i < 300; i++ {
		ctx, cancel := context.WithCancel(context.Background())
		cmd := exec.CommandContext(ctx, "/nonexistent")
		cancelled := make(chan bool)
		go func() {
			time.Sleep(time.Duration(i*10%1500) * time.Microsecond)
			cancel()
			close(cancelled)
		}()
		err := Start(cmd)
		if err == nil {
			t.Fatalf("started, then %v", cmd.Wait())
		}
		if e, ok := err.(*Error); ok && e.Verdict == Died && (e.Status != 9 || cmd.Process != nil) {
			t.Errorf("%+v, %v", *e, cmd.Process)
		}
		<-cancelled
	}
}

// A failure before the exec is blamed on neither the stub nor the program. A failed exec is not blamed on the set-up.
func TestStartFailsBeforeTheExec(t *testing.T) {
	skipUnderEmulator(t)
	warmUp(t)
	defer assertNothingLeft(t)()
	notOpen := 1 << 20
	for what, attr := range map[string]syscall.SysProcAttr{
		"Setpgid":             {Setpgid: true, Pgid: 1 << 30},
		"Setctty":             {Setsid: true, Setctty: true},
		"Foreground":          {Foreground: true, Ctty: notOpen},
		"Noctty":              {Noctty: true},
		"Cloneflags":          {Cloneflags: syscall.CLONE_FS | syscall.CLONE_NEWNS},
		"Pdeathsig":           {Pdeathsig: 1000},
		"Chroot, direct":      {Chroot: "/nonexistent"},
		"Setpgid, direct":     {Setpgid: true, Pgid: 1 << 30, Ptrace: true},
		"Credential":          {Credential: &syscall.Credential{Uid: ^uint32(0)}},
		"AmbientCaps, direct": {AmbientCaps: []uintptr{63}},
	} {
		attr := attr
		cmd := exec.Command("/bin/true")
		cmd.SysProcAttr, cmd.Stdin = &attr, untouched{t}
		err := Start(cmd)
		e, ok := err.(*Error)
		if !ok || e.Verdict != SetupFailed || e.Step != StepProcess || e.Errno == 0 || ExitCode(err, POSIX) != 125 {
			t.Errorf("%s: %#v", what, err)
		}
		if cmd.Process != nil || cmd.Path != "/bin/true" || cmd.Stdin != (untouched{t}) || cmd.ExtraFiles != nil {
			t.Errorf("%s: %+v", what, cmd)
		}
	}
}

func TestStartFailsAfterItsSetUp(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	for _, path := range []string{"/nonexistent", "/etc/passwd", strings.Repeat("/x", 2048)} {
		for _, attr := range []*syscall.SysProcAttr{nil, {}, {Setsid: true}, {Setsid: true, Ptrace: true}} {
			cmd := &exec.Cmd{Path: path, Dir: "/", SysProcAttr: attr}
			if e := asError(t, Start(cmd)); e.Verdict != ExecFailed || e.Step != StepExec {
				t.Errorf("%.20s, %+v: %+v", path, attr, *e)
			}
		}
	}
}

// A missing directory, with and without attributes: Go itself names it only without them.
func TestStartWithoutItsDir(t *testing.T) {
	cmd := &exec.Cmd{Path: "/bin/true", Dir: "/nonexistent", SysProcAttr: &syscall.SysProcAttr{}}
	if e := asError(t, Start(cmd)); e.Error() != "exec /bin/true: cannot set up the process (ENOENT)" {
		t.Error(e)
	}
	cmd = &exec.Cmd{Path: "/bin/true", Dir: "/nonexistent"}
	if err := Start(cmd); err.Error() != "chdir /nonexistent: no such file or directory" || ExitCode(err, POSIX) != 125 {
		t.Error(err)
	}
}

// If every exec is refused, the set-up is not to blame. A refused fork has the step StepProcess.
func TestStartWhereNoExecIsAllowed(t *testing.T) {
	skipUnderEmulator(t)
	withFilter(t, func() {
		for step, attr := range map[uint16]*syscall.SysProcAttr{StepStub: {Setsid: true}, StepExec: {Ptrace: true}} {
			cmd := exec.Command("/bin/true")
			cmd.SysProcAttr = attr
			if e, ok := Start(cmd).(*Error); !ok || e.Step != step || e.Errno != syscall.EPERM {
				t.Errorf("%+v: %+v", attr, e)
			}
		}
	}, seccompErrno|uint32(syscall.EPERM), syscall.SYS_EXECVE)
	withFilter(t, func() {
		if e, ok := Start(exec.Command("/bin/true")).(*Error); !ok || e.Step != StepProcess || e.Errno != syscall.EAGAIN {
			t.Errorf("without a fork: %+v", e)
		}
	}, seccompErrno|uint32(syscall.EAGAIN), syscall.SYS_CLONE)
}

// The killer and the signal make no difference, nor does it matter whether the child is the stub by then.
func TestStartKilledBeforeItsExec(t *testing.T) {
	skipUnderEmulator(t)
	warmUp(t)
	defer assertNothingLeft(t)()
	for what, attr := range map[string]*syscall.SysProcAttr{
		"as the stub":                nil,
		"in its set-up, by the stub": {Setsid: true},
		"in its set-up, direct":      {Setsid: true, Ptrace: true},
	} {
		call, args := uintptr(syscall.SYS_SETSID), []uint32(nil)
		if attr == nil {
			call, args = syscall.SYS_FCNTL, []uint32{syscall.F_SETFD, syscall.FD_CLOEXEC}
		}
		withFilter(t, func() {
			cmd := exec.Command("/bin/true")
			cmd.SysProcAttr = attr
			e, ok := startOrWait(cmd).(*Error)
			if !ok || e.Verdict != Died || e.Status.Signal() != syscall.SIGSYS {
				t.Errorf("%s: %+v", what, e)
			}
			// A context that is done makes Start find out.
			ctx, cancel := context.WithCancel(context.Background())
			cmd = exec.CommandContext(lateContext{ctx, cancel}, "/bin/true")
			cmd.SysProcAttr, cmd.Stdin = attr, untouched{t}
			e, ok = Start(cmd).(*Error)
			if !ok || e.Verdict != Died || e.Status.Signal() != syscall.SIGSYS || cmd.Process != nil {
				t.Errorf("%s, with a context: %+v, %v", what, e, cmd.Process)
			}
		}, seccompKill, call, args...)
	}
}

// A lateContext is done once somebody asks why.
type lateContext struct {
	context.Context
	cancel func()
}

func (c lateContext) Err() error {
	c.cancel()
	return c.Context.Err()
}

func TestStartPipes(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	cmd := exec.Command("/bin/cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := Start(cmd); err != nil {
		t.Fatal(err)
	}
	io.WriteString(in, "through")
	in.Close()
	text, err := io.ReadAll(out)
	if err != nil || string(text) != "through" {
		t.Errorf("%q, %v", text, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// However a program ends, Wait returns what cmd.Wait returns.
func TestWaitOfAProgram(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	for _, script := range []string{"exit 0", "exit 1", "exit 125", "exit 126", "exit 127", "exit 253", "kill -9 $$", "kill -31 $$", "sleep 0.01; kill -9 $$"} {
		for _, options := range [][]Option{nil, {Direct()}} {
			cmd, theirs := exec.Command("/bin/sh", "-c", script), exec.Command("/bin/sh", "-c", script)
			got, want := startOrWait(cmd, options...), theirs.Run()
			var exit *exec.ExitError
			if fmt.Sprint(got) != fmt.Sprint(want) || want != nil && !errors.As(got, &exit) {
				t.Errorf("%s: %v instead of %v", script, got, want)
			}
			if cmd.ProcessState == nil || cmd.ProcessState.Sys() != theirs.ProcessState.Sys() {
				t.Errorf("%s: %v", script, cmd.ProcessState)
			}
		}
	}
}

// A program may have the name that the stub has. It is the last part of the path.
func TestWaitOfAProgramNamedLikeTheStub(t *testing.T) {
	skipUnderEmulator(t)
	warmUp(t)
	for name, want := range map[string]Verdict{strconv.Itoa(shared.stub.fd): Closed, "0": 0, "dmz": 0} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\nkill -9 $$\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		err := startAndWait(t, exec.Command(path))
		e, ok := err.(*Error)
		if ok != (want != 0) || ok && (e.Verdict != want || e.Status != 9) || ExitCode(err, POSIX) != 137 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWaitRefusesNonsense(t *testing.T) {
	if err := Wait(exec.Command("/bin/true")); err == nil || !strings.Contains(err.Error(), "not started") {
		t.Error(err)
	}
	cmd := exec.Command("/bin/true")
	if err := startAndWait(t, cmd); err != nil {
		t.Error(err)
	}
	if err := Wait(cmd); err == nil || !strings.Contains(err.Error(), "already called") {
		t.Error(err)
	}
	if err := Start(cmd); err == nil || !strings.Contains(err.Error(), "already started") {
		t.Error(err)
	}
	cmd = exec.Command("/bin/true")
	if err := Start(cmd); err != nil {
		t.Fatal(err)
	}
	syscall.Wait4(cmd.Process.Pid, nil, 0, nil)
	if err := Wait(cmd); !errors.Is(err, syscall.ECHILD) {
		t.Errorf("reaped by something else: %v", err)
	}
}

func TestStartOptions(t *testing.T) {
	skipUnderEmulator(t)
	warmUp(t)
	defer assertNothingLeft(t)()
	usual := shared.stub
	stub, err := Stub()
	if err != nil {
		t.Fatal(err)
	}
	defer stub.Close()
	for name, options := range map[string][]Option{"none": nil, "direct": {Direct()}, "own": {Through(stub)}, "the last one counts": {Direct(), Through(stub)}} {
		for extra := 0; extra < 40; extra += 13 { // both below and above the stub
			var out bytes.Buffer
			cmd := exec.Command("/bin/sh", "-c", "cat; exit 7")
			cmd.Stdin, cmd.Stdout = strings.NewReader("in"), &out
			for i := 0; i < extra; i++ {
				cmd.ExtraFiles = append(cmd.ExtraFiles, os.Stdin)
			}
			if code := ExitCode(startOrWait(cmd, options...), POSIX); code != 7 || out.String() != "in" {
				t.Errorf("%s: %d, %q", name, code, out.String())
			}
			e := asError(t, Start(&exec.Cmd{Path: "/etc/passwd", ExtraFiles: cmd.ExtraFiles}, options...))
			if e.Verdict != ExecFailed || e.Errno != syscall.EACCES || e.Path != "/etc/passwd" {
				t.Errorf("%s: %+v", name, e)
			}
			if isDirect := e.Status == StatusUnknown; isDirect != (name == "direct") {
				t.Errorf("%s: status %#x", name, e.Status)
			}
		}
	}
	if shared.stub != usual || usual.users != 0 {
		t.Errorf("%+v instead of %+v", shared.stub, usual)
	}
}

func TestStartThroughWhatIsNoStub(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	closed, err := Stub()
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	directory, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer directory.Close()
	for errno, stub := range map[syscall.Errno]*os.File{syscall.EBADF: closed, syscall.EACCES: directory, syscall.EBADF + 1000: nil} {
		cmd := exec.Command("/bin/true")
		if _, err := cmd.StdoutPipe(); err != nil {
			t.Fatal(err)
		}
		e := asError(t, Start(cmd, Through(stub)))
		if e.Verdict != SetupFailed || e.Step != StepStub || e.Errno != errno%1000 || cmd.Process != nil || cmd.Path != "/bin/true" {
			t.Errorf("%+v, %+v", *e, cmd)
		}
	}
}

// Some programs close all descriptors that they do not know.
func TestStartAfterItsStubWasClosed(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	fd := shared.stub.fd
	syscall.Close(fd)
	if err := startAndWait(t, exec.Command("/bin/true")); err != nil {
		t.Errorf("closed: %v", err)
	}
	fd = shared.stub.fd
	file, err := os.Open("/bin/false")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := syscall.Dup3(int(file.Fd()), fd, syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := startAndWait(t, exec.Command("/bin/true")); err != nil || shared.stub.fd == fd {
		t.Errorf("another file: %v, %d", err, shared.stub.fd)
	}
	var ours, theirs syscall.Stat_t
	if syscall.Fstat(fd, &ours) != nil || syscall.Fstat(int(file.Fd()), &theirs) != nil || ours.Ino != theirs.Ino {
		t.Error("the other file was closed")
	}
}

// A stub that somebody keeps from being executed spoils one start.
func TestStartReplacesASpoiltStub(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	before := shared.stub
	spoil := func() int {
		fd, err := dupAbove(int(file.Fd()), sharedNumber)
		if err != nil {
			t.Fatal(err)
		}
		var st syscall.Stat_t
		syscall.Fstat(fd, &st)
		shared.stub = &sharedStub{fd: fd, dev: uint64(st.Dev), ino: uint64(st.Ino)}
		return fd
	}
	fd := spoil()
	if e := asError(t, Start(exec.Command("/bin/true"))); e.Step != StepStub || e.Errno != syscall.EACCES {
		t.Errorf("%+v", *e)
	}
	if _, errno := fcntl(fd, syscall.F_GETFD, 0); errno != syscall.EBADF || shared.stub != nil {
		t.Errorf("still open: %v", shared.stub)
	}
	if err := startAndWait(t, exec.Command("/bin/true")); err != nil {
		t.Error(err)
	}
	syscall.Close(before.fd)

	// While others use it, it stays open.
	last := shared.stub
	fd = spoil()
	defer func() { syscall.Close(last.fd) }()
	other, err := borrowStub()
	if err != nil {
		t.Fatal(err)
	}
	Start(exec.Command("/bin/true"))
	if _, errno := fcntl(fd, syscall.F_GETFD, 0); errno != 0 {
		t.Errorf("closed: %v", errno)
	}
	other.giveBack(false)
	if _, errno := fcntl(fd, syscall.F_GETFD, 0); errno != syscall.EBADF {
		t.Errorf("still open: %v", errno)
	}
	startAndWait(t, exec.Command("/bin/true"))
}

// Package exec would have returned these.
func TestStartErrorsAreThoseOfPackageExec(t *testing.T) {
	for _, path := range []string{"/nonexistent", "/etc/passwd", "/"} {
		for _, attr := range []*syscall.SysProcAttr{nil, {Setpgid: true, Pgid: 1 << 30}} {
			var got, want *fs.PathError
			err := Start(&exec.Cmd{Path: path, SysProcAttr: attr})
			theirs := (&exec.Cmd{Path: path, SysProcAttr: attr}).Start()
			if !errors.As(err, &got) || !errors.As(theirs, &want) || got.Error() != want.Error() || !errors.Is(err, want.Err) {
				t.Errorf("%v: %v instead of %v", err, got, want)
			}
		}
	}
	var e *fs.PathError
	if errors.As(error(newError(Died, "/x")), &e) {
		t.Errorf("%v without an errno", e)
	}
	var missing *exec.Error
	if err := Start(exec.Command("no-such-program")); !errors.As(err, &missing) || ExitCode(err, POSIX) != 127 {
		t.Error(err)
	}
}

// Another version of Go may keep it elsewhere: then Start always looks.
func TestContextIsKnown(t *testing.T) {
	if !contextField.known {
		t.Error("package exec keeps the context of a Cmd elsewhere")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "/bin/true")
	if mayBeDone(cmd) || mayBeDone(exec.Command("/bin/true")) {
		t.Error("done too soon")
	}
	cancel()
	if !mayBeDone(cmd) {
		t.Error("not done")
	}
}

// What Start adds to package exec does not grow unnoticed.
func TestStartAllocations(t *testing.T) {
	skipUnderEmulator(t)
	run := func(start, wait func(*exec.Cmd) error) float64 {
		return testing.AllocsPerRun(20, func() {
			cmd := &exec.Cmd{Path: "/bin/true", Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
			if err := start(cmd); err != nil {
				t.Fatal(err)
			}
			wait(cmd)
		})
	}
	theirs := run((*exec.Cmd).Start, (*exec.Cmd).Wait)
	for what, test := range map[string]struct {
		start func(*exec.Cmd) error
		most  float64
	}{
		"direct": {directly, 6}, "through the stub": {throughStub, 26},
	} {
		if ours := run(test.start, Wait); ours > theirs+test.most {
			t.Errorf("%s: %g allocations, package exec %g", what, ours, theirs)
		} else {
			t.Logf("%s: %g allocations, package exec %g", what, ours, theirs)
		}
	}
}

// Calls of Go's scheduler, which do not depend on Start.
var ofScheduler = regexp.MustCompile(` (futex|rt_sigreturn|rt_sigprocmask|nanosleep|sched_yield|epoll_p?wait|munmap|mmap|madvise|tgkill|getpid)\(`)

// Nor do the system calls, as the median of many starts shows.
func TestStartSystemCalls(t *testing.T) {
	skipUnderEmulator(t)
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("no strace")
	}
	count := func(how string) int {
		log := filepath.Join(t.TempDir(), "log")
		cmd := self("starts", how, "40")
		cmd.Args = append([]string{"strace", "-f", "-qq", "-o", log, "-e", "signal=none"}, append([]string{cmd.Path}, cmd.Args[1:]...)...)
		cmd.Path, cmd.Stderr = strace, nil
		if err := cmd.Run(); err != nil {
			t.Skip("needs tracing")
		}
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		// A start ends with wait4(2).
		lines := strings.Split(string(text), "\n")
		first := strings.Fields(lines[0])[0] + " "
		var counts []int
		calls := 0
		for _, line := range lines {
			switch {
			case !strings.HasPrefix(line, first) || strings.Contains(line, " resumed>") || ofScheduler.MatchString(line):
			case strings.Contains(line, " wait4("):
				counts = append(counts, calls+1)
				calls = 0
			default:
				calls++
			}
		}
		if len(counts) != 40 {
			t.Fatalf("%s: %d starts", how, len(counts))
		}
		sort.Ints(counts)
		return counts[len(counts)/2]
	}
	theirs := count("exec")
	for how, most := range map[string]int{"direct": 1, "stub": 32} {
		if ours := count(how); ours > theirs+most {
			t.Errorf("%s: %d system calls, package exec %d", how, ours, theirs)
		} else {
			t.Logf("%s: %d system calls, package exec %d", how, ours, theirs)
		}
	}
}

// Input that blocks, or that would get lost, is not read if no program has started.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the input was read")
	return 0, io.EOF
}

func TestStartFails(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	var out bytes.Buffer
	cmd := &exec.Cmd{Path: "/", Args: []string{"x"}, Stdin: untouched{t}, Stdout: &out, Stderr: &out}
	e := asError(t, Start(cmd))
	if e.Verdict != ExecFailed || e.Errno != syscall.EACCES || e.Error() != "exec /: permission denied" {
		t.Errorf("%+v", *e)
	}
	if e.Status == StatusUnknown || e.Status.Exited() && e.Status.ExitStatus() != 126 {
		t.Errorf("status %#x", e.Status)
	}
	if cmd.Process != nil || cmd.ProcessState != nil || cmd.Stdin != (untouched{t}) || cmd.Path != "/" {
		t.Errorf("%+v", cmd)
	}
	if out.Len() != 0 {
		t.Errorf("output %q", out.String())
	}
}

func TestStartRefusesNonsense(t *testing.T) {
	if err := Start(nil); err == nil {
		t.Error("no error for nil")
	}
	err := Start(exec.Command("/bin/echo", "a", "b\x00c"))
	if !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), "argument 2 of") {
		t.Errorf("NUL in an argument: %v", err)
	}
	if err := Start(&exec.Cmd{Path: "/bin/\x00"}); !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), "the path") {
		t.Errorf("NUL in the path: %v", err)
	}
	if err := Start(&exec.Cmd{Path: "/bin/true", Env: []string{"A=b", "B=\x00"}}); !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), "environment") {
		t.Errorf("NUL in the environment: %v", err)
	}
	if err := Start(exec.Command("no-such-program")); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("not in PATH: %v", err)
	}
	cmd := exec.Command("/bin/true")
	startAndWait(t, cmd)
	if err := Start(cmd); err == nil || !strings.Contains(err.Error(), "already started") {
		t.Errorf("started before: %v", err)
	}
	cmd = exec.Command("/bin/cat")
	in := strings.NewReader("in")
	cmd.Stdin = in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := Start(cmd); err == nil || !strings.Contains(err.Error(), "already started") || cmd.Stdin != in {
		t.Errorf("started by itself: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// A copy of the write end in another process must not make Start wait.
func TestAwaitReport(t *testing.T) {
	for _, written := range [][]byte{nil, record()} {
		r, w, err := pipeAbove(2)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(written)
		cmd := exec.Command("/bin/true")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if err := awaitReport(r, cmd.Process.Pid, "/x"); (err != nil) != (written != nil) {
			t.Error(err)
		}
		cmd.Wait()
		syscall.Close(r)
		w.Close()
	}
}

func TestStartManyAtOnce(t *testing.T) {
	warmUp(t)
	defer assertNothingLeft(t)()
	const goroutines, each = 16, 40
	done := make(chan bool)
	collected := make(chan bool)
	go func() {
		for {
			select {
			case <-done:
				close(collected)
				return
			default:
				runtime.GC()
			}
		}
	}()
	var wait sync.WaitGroup
	for g := 0; g < goroutines; g++ {
		wait.Add(1)
		go func(g int) {
			defer wait.Done()
			for i := 0; i < each; i++ {
				if i%3 == 0 {
					if e, ok := Start(&exec.Cmd{Path: "/etc/passwd", Stdin: untouched{t}}).(*Error); !ok || e.Errno != syscall.EACCES {
						t.Errorf("%+v", e)
					}
					continue
				}
				var out bytes.Buffer
				cmd := exec.Command("/bin/sh", "-c", "cat <&3; exit $0", fmt.Sprint(g+1))
				file, err := os.Open("/proc/self/status")
				if err != nil {
					t.Error(err)
					return
				}
				cmd.Stdout, cmd.ExtraFiles = &out, []*os.File{file}
				if err := Start(cmd); err != nil {
					t.Error(err)
				} else if code := ExitCode(cmd.Wait(), POSIX); code != g+1 || !strings.HasPrefix(out.String(), "Name:") {
					t.Errorf("exit code %d instead of %d, %q", code, g+1, out.String())
				}
				file.Close()
			}
		}(g)
	}
	wait.Wait()
	close(done)
	<-collected
}
