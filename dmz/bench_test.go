// SPDX-License-Identifier: MIT

package dmz

import (
	"os"
	"os/exec"
	"testing"
)

func benchmark(b *testing.B, start func(*exec.Cmd) error, wait func(*exec.Cmd) error, path string, fails bool) {
	b.ReportAllocs()
	for i := 0; i < b.N; i++ {
		cmd := exec.Command(path)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		if err := start(cmd); (err != nil) != fails {
			b.Fatal(err)
		}
		if !fails {
			wait(cmd)
		}
	}
}

func throughStub(cmd *exec.Cmd) error { return Start(cmd) }
func directly(cmd *exec.Cmd) error    { return Start(cmd, Direct()) }

func BenchmarkCmd(b *testing.B) {
	benchmark(b, (*exec.Cmd).Start, (*exec.Cmd).Wait, "/bin/true", false)
}
func BenchmarkStart(b *testing.B)            { benchmark(b, throughStub, Wait, "/bin/true", false) }
func BenchmarkStartDirect(b *testing.B)      { benchmark(b, directly, Wait, "/bin/true", false) }
func BenchmarkCmdFails(b *testing.B)         { benchmark(b, (*exec.Cmd).Start, nil, "/etc/passwd", true) }
func BenchmarkStartFails(b *testing.B)       { benchmark(b, throughStub, nil, "/etc/passwd", true) }
func BenchmarkStartDirectFails(b *testing.B) { benchmark(b, directly, nil, "/etc/passwd", true) }
