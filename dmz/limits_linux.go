// SPDX-License-Identifier: MIT

package dmz

import (
	"bytes"
	"strings"
	"syscall"
	"unsafe"
)

// TooBig predicts whether execve(2) fails with E2BIG. errpipe/common/limits.c describes the rule, and why the kernel cannot be asked.
func tooBig(path string, argv, envv []string) bool {
	const (
		most         = 6 << 20   // three quarters of _STK_LIM, include/uapi/linux/resource.h
		least        = 128 << 10 // ARG_MAX, include/uapi/linux/limits.h
		pagesOfOne   = 32        // MAX_ARG_STRLEN, include/uapi/linux/binfmts.h; with the NUL
		withoutLimit = ^uint64(0)
	)
	page, word := uint64(syscall.Getpagesize()), wordSize()
	if len(argv) == 0 {
		argv = []string{""}
	}
	size, count := uint64(len(path)+1), uint64(len(argv)+len(envv))
	for _, list := range [][]string{argv, envv} {
		for _, s := range list {
			if uint64(len(s)) >= pagesOfOne*page {
				return true
			}
			size += uint64(len(s) + 1)
		}
	}

	var limit syscall.Rlimit
	stack := withoutLimit
	if syscall.Getrlimit(syscall.RLIMIT_STACK, &limit) == nil {
		stack = uint64(limit.Cur)
	}
	// The strings alone must fit on the stack. It already has a page, one word of which is unused.
	room := stack - stack%page
	if room < page {
		room = page
	}
	if size > room-word {
		return true
	}
	// The strings and the pointers to them.
	limited := stack / 4
	if limited > most {
		limited = most
	}
	if limited < least {
		limited = least
	}
	return size+count*word > limited
}

// The kernel counts pointers at its own size, even for a 32-bit program.
func wordSize() uint64 {
	if unsafe.Sizeof(uintptr(0)) == 8 || isKernelOf64Bits() {
		return 8
	}
	return 4
}

// A 64-bit kernel calls itself x86_64, aarch64, ppc64le, s390x and so on, except under personality(2) PER_LINUX32.
func isKernelOf64Bits() bool {
	const ask, perMask, perLinux32 = 0xffffffff, 0xff, 8 // linux/personality.h
	personality, _, _ := syscall.RawSyscall(syscall.SYS_PERSONALITY, ask, 0, 0)
	var uts syscall.Utsname
	if personality&perMask == perLinux32 || syscall.Uname(&uts) != nil {
		return true
	}
	var machine bytes.Buffer
	for _, c := range uts.Machine {
		machine.WriteByte(byte(c))
	}
	name := strings.TrimRight(machine.String(), "\x00")
	return strings.Contains(name, "64") || name == "s390x"
}
