// SPDX-License-Identifier: MIT

package dmz

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
