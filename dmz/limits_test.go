// SPDX-License-Identifier: MIT

package dmz

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// StringsOf returns strings of that many bytes in total, with their NULs.
func stringsOf(bytes int) (strs []string) {
	const each = 60000
	for ; bytes >= 2*each; bytes -= each {
		strs = append(strs, strings.Repeat("x", each-1))
	}
	return append(strs, strings.Repeat("y", bytes-1))
}

// Most returns the largest number for which the answer is no.
func most(fits, fails int, question func(int) bool) int {
	for fails-fits > 1 {
		if middle := (fits + fails) / 2; question(middle) {
			fails = middle
		} else {
			fits = middle
		}
	}
	return fits
}

func withStack(t *testing.T, limit uint64, f func()) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_STACK, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_STACK, &syscall.Rlimit{Cur: limit, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_STACK, &old)
	f()
}

// TooBig agrees with the kernel, which refuses an empty file with ENOEXEC only after it has checked the arguments.
func TestTooBigIsTheKernels(t *testing.T) {
	skipUnderEmulator(t)
	file := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(file, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	fill := map[string]func(int) (argv, envv []string){
		"argv": func(n int) ([]string, []string) { return stringsOf(n), []string{"A=b"} },
		"envv": func(n int) ([]string, []string) { return []string{"x"}, stringsOf(n) },
		"one":  func(n int) ([]string, []string) { return []string{"x", strings.Repeat("x", n)}, nil },
		"many": func(n int) ([]string, []string) { return make([]string, n/9+1), []string{strings.Repeat("x", n%9)} },
	}
	for _, stack := range []uint64{16384, 300000, 8 << 20} {
		withStack(t, stack, func() {
			for name, f := range fill {
				refused := func(n int) bool {
					argv, envv := f(n)
					err := syscall.Exec(file, argv, envv)
					if err != syscall.E2BIG && err != syscall.ENOEXEC {
						t.Fatalf("%s of %d: %v", name, n, err)
					}
					return err == syscall.E2BIG
				}
				limit := most(1000, 8<<20, refused)
				if name == "one" {
					limit = most(1000, 1<<20, refused)
				}
				for n := limit - 3; n <= limit+3; n++ {
					argv, envv := f(n)
					if got, want := tooBig(file, argv, envv), refused(n); got != want {
						t.Errorf("stack %d, %s of %d, of which %d are possible: %t", stack, name, n, limit, got)
					}
				}
			}
		})
	}
}

// Start works for every command line that execve(2) takes. Otherwise the failure is the program's, by each route.
func TestStartNearTheLimit(t *testing.T) {
	skipUnderEmulator(t)
	withStack(t, 300000, func() {
		limit := most(1000, 1<<20, func(n int) bool { return tooBig("/bin/true", stringsOf(n), nil) })
		for n := limit - 70; n <= limit+2; n++ {
			cmd := &exec.Cmd{Path: "/bin/true", Args: stringsOf(n), Env: []string{}}
			err := Start(cmd)
			if err == nil {
				err = cmd.Wait()
			}
			if n <= limit && err != nil {
				t.Errorf("%d of %d: %v", n, limit, err)
			} else if e, ok := err.(*Error); n > limit && (!ok || e.Error() != "exec /bin/true: argument list too long") {
				t.Errorf("%d of %d: %v", n, limit, err)
			}
		}
	})
}
