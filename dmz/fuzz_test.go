// SPDX-License-Identifier: MIT

package dmz

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A twin is tests/programs/prog_decode.c: it prints the C library's result for each input.
type twin struct {
	stdin  io.Writer
	stdout *bufio.Reader
}

// StartTwin returns nil if the twin is missing, or if its errno numbers would differ, as under an emulator.
func startTwin(f *testing.F) *twin {
	if os.Getenv("ERRPIPE_BUILD") == "" || os.Getenv("DMZ_TEST_EMULATOR") != "" {
		return nil
	}
	cmd := exec.Command(built(f, "tests/prog_decode"))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		f.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		f.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			f.Error(err)
		}
	})
	return &twin{stdin, bufio.NewReader(stdout)}
}

func (c *twin) ask(t *testing.T, input []byte) string {
	size := binary.LittleEndian.AppendUint32(nil, uint32(len(input)))
	if _, err := c.stdin.Write(append(size, input...)); err != nil {
		t.Fatal(err)
	}
	line, err := c.stdout.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\n")
}

// TakeApart takes an input of tests/fuzz/decode.c. A path in C ends at a NUL.
func takeApart(input []byte) (record []byte, path string) {
	if len(input) == 0 {
		return nil, ""
	}
	size, rest := int(input[0]), input[1:]
	if size == 255 || size > len(rest) {
		size = len(rest)
	}
	name, _, _ := bytes.Cut(rest[size:], []byte{0})
	return rest[:size], string(name)
}

// AsTwin prints as the twin does.
func asTwin(e *Error, err error) string {
	if err != nil {
		return "EPROTO"
	}
	line := fmt.Sprintf("%d %d %d %d %d %d", e.Verdict, int(e.Errno), e.Raw, e.Machine, e.Step, int32(e.Status))
	for _, policy := range []Policy{POSIX, Dockerd, Runc, Systemd} {
		line += fmt.Sprintf(" %d", ExitCode(e, policy))
	}
	name := errnoName(e.Errno)
	if !strings.HasPrefix(name, "E") {
		name = "-"
	}
	return line + " " + name + " " + e.Error()
}

func addSeeds(f *testing.F) {
	seeds, err := filepath.Glob("../tests/fuzz/seeds/decode/*")
	if err != nil || len(seeds) == 0 {
		f.Fatal("there are no seeds", err)
	}
	regressions, _ := filepath.Glob("../tests/fuzz/regressions/decode/*")
	for _, name := range append(seeds, regressions...) {
		input, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(input)
	}
}

// Any other input than a record is EPROTO. A record gives the same result, in the same words, as in the C library.
func FuzzDecode(f *testing.F) {
	addSeeds(f)
	c := startTwin(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		record, path := takeApart(input)
		e, err := Decode(record, path)
		if (e == nil) == (err == nil) || err != nil && !errors.Is(err, syscall.EPROTO) {
			t.Fatal(e, err)
		}
		if c == nil {
			return
		}
		if here, there := asTwin(e, err), c.ask(t, input); here != there {
			t.Errorf("%q, and C says %q", here, there)
		}
	})
}
