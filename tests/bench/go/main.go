// SPDX-License-Identifier: MIT

// The helper for the Go rows: see helper.h.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"errpipe/dmz"
)

const madvNoHugePage = 15 // linux/mman.h

var starts = map[string]func(*exec.Cmd) error{
	"exec":       (*exec.Cmd).Start,
	"dmz":        func(cmd *exec.Cmd) error { return dmz.Start(cmd) },
	"dmz-direct": func(cmd *exec.Cmd) error { return dmz.Start(cmd, dmz.Direct()) },
}

var waits = map[string]func(*exec.Cmd) error{
	"exec":       (*exec.Cmd).Wait,
	"dmz":        dmz.Wait,
	"dmz-direct": dmz.Wait,
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func growMemory(mebibytes int) {
	if mebibytes == 0 {
		return
	}
	memory, err := syscall.Mmap(-1, 0, mebibytes<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	must(err)
	must(syscall.Madvise(memory, madvNoHugePage))
	for i := 0; i < len(memory); i += 4096 {
		memory[i] = 1
	}
}

func growThreads(count int) {
	for ; count > 0; count-- {
		go func() {
			runtime.LockOSThread()
			select {}
		}()
	}
}

func growDescriptors(count int) {
	for ; count > 0; count-- {
		_, err := syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		must(err)
	}
}

func growEnvironment(bytes int) {
	for i := 0; i < bytes/1000; i++ {
		name := fmt.Sprintf("V%d", i)
		must(os.Setenv(name, strings.Repeat("x", 1000-len(name)-2)))
	}
}

// start returns the reported errno, or 0, and the exit status, or -1.
func start(row, path string, args []string) (errno, status int) {
	cmd := exec.Command(path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := starts[row](cmd); err != nil {
		var number syscall.Errno
		errors.As(err, &number)
		return int(number), -1
	}
	waits[row](cmd)
	return 0, cmd.ProcessState.ExitCode()
}

func repeat(row string, count, parallel int, path string, args []string) (errno, status int) {
	var all sync.WaitGroup
	for i := 1; i < parallel; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			repeat(row, count, 1, path, args)
		}()
	}
	for ; count > 0; count-- {
		errno, status = start(row, path, args)
	}
	all.Wait()
	return errno, status
}

func main() {
	var sizes [5]int
	for i := range sizes {
		if i+1 < len(os.Args) {
			sizes[i], _ = strconv.Atoi(os.Args[i+1])
		}
	}
	growMemory(sizes[0])
	growThreads(sizes[1])
	growDescriptors(sizes[2])
	args := make([]string, sizes[3])
	for i := range args {
		args[i] = "x"
	}
	growEnvironment(sizes[4])

	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var row, path string
		var count, parallel int
		_, err := fmt.Sscan(lines.Text(), &row, &count, &parallel, &path)
		must(err)
		if starts[row] == nil {
			fmt.Println("absent")
			continue
		}
		begun := time.Now()
		errno, status := repeat(row, count, parallel, path, args)
		fmt.Println(time.Since(begun).Nanoseconds(), errno, status)
	}
}
