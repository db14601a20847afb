// SPDX-License-Identifier: MIT

package dmz

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// In the format of tests/programs/prog_case.c, which uses the C library.
func printRoutes(paths []string) {
	i, err := CurrentIdentity()
	if err != nil {
		fmt.Println(err)
		os.Exit(exitWrong)
	}
	fmt.Printf("%d %d %d %s %d %s %s %s %s %s %d %d\n", i.UID, i.EUID, bit(i.MixedIDs), hex(uint64(i.Securebits)), bit(i.NoNewPrivs),
		hex(i.Effective), hex(i.Permitted), hex(i.Inheritable), hex(i.Ambient), hex(i.Bounding), bit(i.Label), bit(i.OnExec))
	for _, path := range paths {
		reason := Route(&i, path)
		fmt.Printf("%s: %d %s\n", path, reason, reason)
	}
}

// Like C's %#x.
func hex(n uint64) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%#x", n)
}

// The C library chooses the same route for the same process and path.
func TestRouteIsTheLibrarys(t *testing.T) {
	directory, program := makeFixture(t, built(t, "tests/prog_case"))
	helper, link := filepath.Join(directory, "bin", "prog_case"), filepath.Join(directory, "bin", "link")
	copyFile(t, built(t, "tests/prog_case"), helper)
	if err := os.Symlink("/proc/self/exe", link); err != nil {
		t.Fatal(err)
	}
	script, second := filepath.Join(directory, "bin", "script"), filepath.Join(directory, "bin", "second")
	for name, text := range map[string]string{script: "#! \t/proc/self/exe x\n", second: "#!" + script} {
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got := Route(&Identity{UID: 1, EUID: 1}, second); got != RouteDirectPath {
		t.Errorf("%s: %v", second, got)
	}
	paths := []string{script, second, "/bin/true", "/nonexistent", "", "/", "/proc/self/exe", "/proc//self/exe", "/../proc/self/exe", "/dev/fd/0",
		"/dev/stdin", link, "/proc/version"}
	attrs := map[string]*syscall.SysProcAttr{"self": nil}
	if os.Geteuid() == 0 {
		nobody := &syscall.Credential{Uid: 65534, Gid: 65534}
		attrs["nobody"] = &syscall.SysProcAttr{Credential: nobody}
		attrs["ambient"] = &syscall.SysProcAttr{Credential: nobody, AmbientCaps: []uintptr{10}}
	}
	for name, attr := range attrs {
		theirs := exec.Command(helper, append([]string{"route"}, paths...)...)
		ours := exec.Command(program, paths...)
		ours.Env = append(os.Environ(), modeVariable+"=route")
		ours.SysProcAttr, theirs.SysProcAttr = attr, attr
		want, err := theirs.Output()
		if err != nil {
			t.Fatal(err)
		}
		have, err := ours.Output()
		if err != nil || string(have) != string(want) {
			t.Errorf("%s: %v\n%s instead of\n%s", name, err, have, want)
		}
	}
}

func TestRouteReasons(t *testing.T) {
	user := Identity{UID: 1, EUID: 1}
	for want, i := range map[Reason]Identity{
		RouteStub:              user,
		RouteDirectOnExec:      {UID: 1, EUID: 1, OnExec: true},
		RouteDirectLabel:       {UID: 1, EUID: 1, Label: true},
		RouteDirectCredentials: {UID: 1, EUID: 0},
	} {
		if got := Route(&i, "/bin/true"); got != want {
			t.Errorf("%+v: %v instead of %v", i, got, want)
		}
	}
	if got := Route(&user, "/proc/self/exe"); got != RouteDirectPath {
		t.Error(got)
	}
	for r := RouteStub; r <= RouteDirectNoStub; r++ {
		if r.String() == Reason(-1).String() {
			t.Errorf("reason %d has no words", r)
		}
	}
}

// IdentityForRoute notices a change of the thread, and leads to the same route as CurrentIdentity.
func TestIdentityForRoute(t *testing.T) {
	same := func(what string) bool {
		t.Helper()
		all, err := CurrentIdentity()
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < 2; i++ {
			if quick, err := identityForRoute(); err != nil || quick.execKeepsCredentials() != all.execKeepsCredentials() {
				t.Errorf("%s: %+v instead of %+v, %v", what, quick, all, err)
			}
		}
		return all.execKeepsCredentials()
	}
	onThread := func(f func()) {
		done := make(chan bool)
		go func() {
			runtime.LockOSThread() // and end the thread
			defer close(done)
			f()
		}()
		<-done
	}
	if !same("at first") {
		t.Skip("an exec changes the credentials of this process")
	}
	if os.Geteuid() != 0 {
		return
	}
	const setSecurebits, noroot, capbsetDrop = 28, 1, 24
	onThread(func() {
		prctl(setSecurebits, noroot, 0)
		if same("without the privileges of root") {
			t.Error("SECBIT_NOROOT makes no difference")
		}
	})
	onThread(func() {
		syscall.RawSyscall(syscall.SYS_SETRESUID, 1, 1, 1)
		if !same("as a user") {
			t.Error("a user has capabilities to lose")
		}
	})
	onThread(func() {
		for c := uintptr(0); c < 64; c++ {
			prctl(capbsetDrop, c, 0)
		}
		if same("without a bounding set") {
			t.Error("an empty bounding set makes no difference")
		}
	})
	onThread(func() {
		prctl(capbsetDrop, 1, 0)
		if same("without one capability that the exec of a program may need") {
			t.Error("CAP_DAC_OVERRIDE makes no difference")
		}
	})
	if !same("at last") {
		t.Error("this thread has changed")
	}
}
