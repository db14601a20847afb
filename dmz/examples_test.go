// SPDX-License-Identifier: MIT

package dmz

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

func buildExample(t *testing.T, name string) string {
	skipUnderEmulator(t)
	program := filepath.Join(openDirectory(t), name)
	build := exec.Command("go", "build", "-o", program, "./examples/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // without libc
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// OpenDirectory returns a temporary directory that other users can read.
func openDirectory(t *testing.T) string {
	directory := t.TempDir()
	if err := os.Chmod(filepath.Dir(directory), 0o755); err != nil {
		t.Fatal(err)
	}
	return directory
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
	runCommand(t, want, code, exec.Command(program, args...))
}

func runCommand(t *testing.T, want string, code int, cmd *exec.Cmd) {
	t.Helper()
	// Use a file: a pipe would reach its end only after every process that this has left behind.
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	err = cmd.Run()
	out, readErr := os.ReadFile(file.Name())
	if got := ExitCode(err, POSIX); got != code || string(out) != want || readErr != nil {
		t.Errorf("%q, exit code %d; instead of %q, %d", out, got, want, code)
	}
}

type runner func(want string, code int, program string, args ...string)

// AsEach calls a test as this user and, if that is root, also as another user and as root of a user namespace.
func asEach(t *testing.T, test func(t *testing.T, run runner)) {
	all := []syscall.SysProcIDMap{{Size: 65536}}
	users := map[string]*syscall.SysProcAttr{"own": nil}
	if os.Getuid() == 0 {
		users["rootless"] = &syscall.SysProcAttr{Credential: as1000()}
		users["namespace"] = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: all, GidMappings: all,
			GidMappingsEnableSetgroups: true}
	}
	for name, attr := range users {
		t.Run(name, func(t *testing.T) {
			if !canUnshare(attr) {
				t.Skip("needs user-namespaces")
			}
			test(t, func(want string, code int, program string, args ...string) {
				t.Helper()
				cmd := exec.Command(program, args...)
				cmd.SysProcAttr = attr
				runCommand(t, want, code, cmd)
			})
		})
	}
}

// CanUnshare: can a process with these attributes make a user namespace?
func canUnshare(attr *syscall.SysProcAttr) bool {
	cmd := exec.Command("/usr/bin/unshare", "--user", "true")
	cmd.SysProcAttr = attr
	return cmd.Run() == nil
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(openDirectory(t), name)
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

const (
	ofRoot   = `"user": {"uid": 0, "gid": 0, "umask": 23}`
	ofNobody = `"user": {"uid": 65534, "gid": 65533, "additionalGids": [7, 8]}`
	fewFiles = `"rlimits": [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 64}]`
	mayKill  = `"capabilities": {"bounding": ["CAP_CHOWN", "CAP_KILL"], "permitted": ["CAP_KILL"], "effective": ["CAP_KILL"]}`
)

func TestExampleRuntime(t *testing.T) {
	program, foreign := buildExample(t, "runtime"), foreign(t)
	// The process object with these members and arguments.
	process := func(members string, args ...string) string {
		text, _ := json.Marshal(args)
		return writeFile(t, "process.json", `{"env": ["PATH=/usr/bin:/bin"], "cwd": "/usr", `+members+`, "args": `+string(text)+`}`)
	}
	shell := func(members, script string) string { return process(members, "sh", "-c", script) }
	const refused = "exec sh: cannot set the supplementary groups (EPERM)\n"

	asEach(t, func(t *testing.T, run runner) {
		run("container 1 /usr 0027\n", 7, program, shell(ofRoot, "echo $(hostname) $$ $(pwd) $(umask); exit 7"))
		run("exec "+foreign+": exec format error\n", 126, program, process(ofRoot, foreign))
		run("exec bin/nonexistent: no such file or directory\n", 127, program, process(ofRoot, "bin/nonexistent"))
		run("exec: \"nonexistent\": executable file not found in $PATH\n", 127, program, process(ofRoot, "nonexistent"))
		run("64 0\n", 0, program, shell(ofRoot+", "+fewFiles, "echo $(ulimit -n) $(ls /proc/self/fd | grep -c '[4-9]')"))
		run("NoNewPrivs:\t1\nSeccomp:\t2\n", 0, program,
			process(ofRoot+`, "noNewPrivileges": true`, "grep", "-E", "^(NoNewPrivs|Seccomp):", "/proc/self/status"), filterFile(t))
		run("CapPrm:\t0000000000000021\nCapEff:\t0000000000000021\nCapBnd:\t0000000000000021\n", 0, program,
			process(ofRoot+", "+mayKill, "grep", "-E", "^Cap(Prm|Eff|Bnd):", "/proc/self/status"))
		run("exec sh: cannot set the security label (ENOENT)\n", 125, program, shell(ofRoot+`, "apparmorProfile": "x"`, ""))
		if os.Getuid() != 0 || strings.HasSuffix(t.Name(), "/rootless") {
			run(refused, 125, program, shell(ofNobody, "id -u"))
		} else {
			run("65534 65533 7 8\n", 0, program, shell(ofNobody, "echo $(id -u) $(id -G)"))
		}
	})
	for _, test := range []struct{ want, file string }{
		{": args is empty\n", writeFile(t, "x", "{}")},
		{": dmz: \"CAP_X\" is not a capability: invalid argument\n", process(`"capabilities": {"ambient": ["CAP_X"]}`, "x")},
		{": dmz: \"NOFILE\" is not a resource: invalid argument\n", process(`"rlimits": [{"type": "NOFILE"}]`, "x")},
		{": unexpected end of JSON input\n", writeFile(t, "x", "{")},
	} {
		runProgram(t, test.file+test.want, 125, program, test.file)
	}
	empty := writeFile(t, "filter", "1234")
	runProgram(t, empty+": not a filter: it has 4 bytes\n", 125, program, process(ofRoot, "x"), empty)
	runProgram(t, "usage: runtime PROCESS [FILTER]\n", 125, program)
}

// A filter that allows everything.
func filterFile(t *testing.T) string {
	filter := []syscall.SockFilter{{Code: syscall.BPF_RET | syscall.BPF_K, K: 0x7fff0000}}
	return writeFile(t, "filter", string((*[8]byte)(unsafe.Pointer(&filter[0]))[:]))
}

func stateDirectory(t *testing.T) string {
	directory := openDirectory(t)
	if err := os.Chmod(directory, 0o777); err != nil {
		t.Fatal(err)
	}
	return directory
}

func TestExampleCreateStart(t *testing.T) {
	program, foreign := buildExample(t, "create-start"), foreign(t)
	const usage = "usage: create-start create STATE PROGRAM [ARG...]\n       create-start start STATE PROGRAM\n"
	for _, args := range [][]string{nil, {"create"}, {"create", t.TempDir()}, {"start"}, {"start", t.TempDir()}, {"stop", t.TempDir(), "x"}} {
		runProgram(t, usage, 125, program, args...)
	}
	runProgram(t, "mkfifo /nonexistent/exec.fifo: no such file or directory\n", 125, program, "create", "/nonexistent", "/bin/true")
	asEach(t, func(t *testing.T, run runner) {
		for path, want := range map[string]string{foreign: "exec format error", "/": "permission denied"} {
			state := stateDirectory(t)
			run("", 0, program, "create", state, path)
			run("exec "+path+": "+want+"\n", 126, program, "start", state, path)
		}
		// This program waits for the test, so that it still runs when start checks it.
		state, hold := stateDirectory(t), filepath.Join(stateDirectory(t), "hold")
		if err := syscall.Mkfifo(hold, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(hold, 0o666); err != nil {
			t.Fatal(err)
		}
		run("", 0, program, "create", state, "/bin/cat", hold)
		run("", 0, program, "start", state, "/bin/cat")
		run(state+": started already\n", 125, program, "start", state, "/bin/cat")
		if err := os.WriteFile(hold, nil, 0); err != nil {
			t.Error(err)
		}
	})
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
