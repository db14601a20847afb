// SPDX-License-Identifier: MIT

package dmz

import (
	"os/exec"
	"testing"
)

func benchmark(b *testing.B, start func(*exec.Cmd) error, path string, fails bool) {
	for i := 0; i < b.N; i++ {
		cmd := exec.Command(path)
		if err := start(cmd); (err != nil) != fails {
			b.Fatal(err)
		}
		if !fails {
			cmd.Wait()
		}
	}
}

func BenchmarkCmdStart(b *testing.B)      { benchmark(b, (*exec.Cmd).Start, "/bin/true", false) }
func BenchmarkStart(b *testing.B)         { benchmark(b, Start, "/bin/true", false) }
func BenchmarkCmdStartFails(b *testing.B) { benchmark(b, (*exec.Cmd).Start, "/etc/passwd", true) }
func BenchmarkStartFails(b *testing.B)    { benchmark(b, Start, "/etc/passwd", true) }
