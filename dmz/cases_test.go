// SPDX-License-Identifier: MIT

package dmz

import (
	"bufio"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A row of tests/cases.txt, which describes its columns.
type execCase struct {
	name, path, who, state, surfaces, errno, words string
	codes                                          []int // in the order of the policies
}

func loadCases(t *testing.T) (cases []execCase) {
	file, err := os.Open("../tests/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		columns := strings.Split(line, "|")
		if len(columns) != 10 {
			t.Fatalf("%q has %d columns", line, len(columns))
		}
		for i := range columns {
			columns[i] = strings.TrimSpace(columns[i])
		}
		c := execCase{columns[0], columns[1], columns[2], columns[3], columns[4], columns[5], columns[7], nil}
		for _, code := range strings.Fields(columns[6]) {
			n, err := strconv.Atoi(code)
			if err != nil {
				t.Fatal(err)
			}
			c.codes = append(c.codes, n)
		}
		cases = append(cases, c)
	}
	if len(cases) < 100 {
		t.Fatalf("%d cases", len(cases))
	}
	return cases
}

// MakeFixture runs a program of the C tests that makes a directory with a file for each case. A copy of this program is in
// its bin/.
func makeFixture(t *testing.T, helper string) (directory, program string) {
	cmd := exec.Command(helper, "fixture")
	cmd.Stderr = os.Stderr
	hold, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		hold.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	directory, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	directory = strings.TrimSpace(directory)
	program = filepath.Join(directory, "bin", "dmz.test")
	copyFile(t, "/proc/self/exe", program)
	return directory, program
}

func copyFile(t *testing.T, from, to string) {
	bytes, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, bytes, 0o755); err != nil {
		t.Fatal(err)
	}
}

func (c *execCase) pathIn(directory string) string {
	switch c.path {
	case "@empty":
		return ""
	case "@long-path":
		return strings.Repeat("/x", 2048)
	case "@long-name":
		return directory + "/" + strings.Repeat("x", 256)
	}
	return strings.Replace(c.path, "@", directory, 1)
}

func (c *execCase) check(t *testing.T, err error, path string) {
	t.Helper()
	e := asError(t, err)
	if want := "exec " + path + ": " + c.words; e.Error() != want {
		t.Errorf("%q instead of %q", e, want)
	}
	name := errnoName(e.Errno)
	if name != c.errno && "errno "+c.errno != name || e.Verdict != ExecFailed {
		t.Errorf("verdict %d, %s instead of %s", e.Verdict, name, c.errno)
	}
	for policy, code := range c.codes {
		if got := ExitCode(err, Policy(policy)); got != code {
			t.Errorf("policy %d: exit code %d instead of %d", policy, got, code)
		}
	}
}

func TestCases(t *testing.T) {
	helper := built(t, "tests/prog_case")
	directory, program := makeFixture(t, helper)
	identities := map[string][]string{"any": {"self", "nobody"}, "root": {"self", "nobody"}, "user": {"nobody"}}
	for _, c := range loadCases(t) {
		c := c
		// A Go program needs threads, which count as processes. And a filter knows only the system calls of its
		// maker's machine.
		if c.state == "nproc" || strings.HasPrefix(c.state, "seccomp:") && machineOf(t, helper) != ownMachine {
			continue
		}
		path := c.pathIn(directory)
		for _, who := range identities[c.who] {
			if os.Geteuid() != 0 && (who == "self" || c.who == "root") {
				if c.who == "root" {
					continue // the table says that there is no such case
				}
				who = "nobody"
			}
			for _, route := range routes {
				t.Run(fmt.Sprintf("%s/%s/%s", c.name, who, route), func(t *testing.T) {
					c.run(t, helper, directory, program, path, who, route)
				})
			}
			if os.Geteuid() != 0 {
				break
			}
		}
	}
}

func machineOf(t *testing.T, program string) uint16 {
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return uint16(file.Machine)
}

func (c *execCase) run(t *testing.T, helper, directory, program, path, who, route string) {
	argv := []string{path}
	if strings.HasPrefix(c.state, "args-") {
		argv = []string{c.state}
	}
	cmd := exec.Command(helper, append([]string{"enter", directory, c.state, who, program, route, path}, argv...)...)
	if c.state == "-" {
		cmd = exec.Command(program, append([]string{route, path}, argv...)...)
		if who == "nobody" && os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
	}
	cmd.Env = append(os.Environ(), modeVariable+"=exec")
	var stderr strings.Builder
	cmd.Stderr = io.MultiWriter(&stderr, os.Stderr)
	err, status := readReport(t, cmd, path)
	if status.ExitStatus() == 77 {
		t.Skip(strings.TrimSpace(stderr.String()))
	}
	if status.ExitStatus() == exitWrong || status.ExitStatus() == 99 {
		t.Fatalf("exit status %d", status.ExitStatus())
	}
	c.check(t, err, path)
}

// The same through Start, for the cases without a special state.
func TestCasesByStart(t *testing.T) {
	directory, _ := makeFixture(t, built(t, "tests/prog_case"))
	for _, c := range loadCases(t) {
		c := c
		if c.state != "-" || c.who == "user" && os.Geteuid() == 0 {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			path := c.pathIn(directory)
			cmd := &exec.Cmd{Path: path, Args: []string{path}}
			c.check(t, Start(cmd), path)
			if cmd.Process != nil || cmd.ProcessState != nil {
				t.Error("there is a process")
			}
		})
	}
}
