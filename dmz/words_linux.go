// SPDX-License-Identifier: MIT

package dmz

import (
	"runtime"
	"strconv"
	"syscall"
)

// Families of architectures that number errors alike.
const (
	generic = iota
	mips
	alpha
	sparc
	parisc
	families
	powerpc = families // the numbers of generic and one more, so it needs no column
)

//go:generate go run gen.go

type errno struct {
	name, words string
	number      [families]uint16 // 0 where a family lacks the error
}

// The ELF e_machine for each GOARCH.
var machines = map[string]uint16{
	"386": 3, "amd64": 62, "arm": 40, "arm64": 183, "loong64": 258, "mips": 8, "mips64": 8, "mips64le": 8, "mipsle": 8,
	"ppc64": 21, "ppc64le": 21, "riscv64": 243, "s390x": 22, "sparc64": 43,
}

// That of this program. A record names its numbering by it.
var ownMachine = machines[runtime.GOARCH]

func familyOf(machine uint16) int {
	switch machine {
	case 8, 10: // EM_MIPS, EM_MIPS_RS3_LE
		return mips
	case 41, 0x9026: // EM_FAKE_ALPHA, EM_ALPHA
		return alpha
	case 2, 18, 43: // EM_SPARC, EM_SPARC32PLUS, EM_SPARCV9
		return sparc
	case 15: // EM_PARISC
		return parisc
	case 20, 21: // EM_PPC, EM_PPC64
		return powerpc
	}
	return generic
}

// In returns the number of the error in a family. The generic column has powerpc's EDEADLOCK: elsewhere EDEADLOCK is EDEADLK.
func (e *errno) in(family int) uint16 {
	const powerpcEDEADLOCK, genericEDEADLK = 58, 35
	switch {
	case family == powerpc:
		return e.number[generic]
	case family == generic && e.number[generic] == powerpcEDEADLOCK:
		return genericEDEADLK
	}
	return e.number[family]
}

func find(family int, number uint16) *errno {
	for i := range errnos {
		if number != 0 && errnos[i].in(family) == number {
			return &errnos[i]
		}
	}
	return nil
}

// HostErrno returns this host's number for the error that has the number raw on machine. 0: the two have no such name in common.
func hostErrno(machine, raw uint16) syscall.Errno {
	host := familyOf(ownMachine)
	if familyOf(machine) == host {
		return syscall.Errno(raw)
	}
	if e := find(familyOf(machine), raw); e != nil {
		return syscall.Errno(e.in(host))
	}
	return 0
}

func findOwn(number syscall.Errno) *errno {
	if number > 0xffff {
		return nil
	}
	return find(familyOf(ownMachine), uint16(number))
}

func errnoWords(number syscall.Errno) string {
	if e := findOwn(number); e != nil {
		return e.words
	}
	return "errno " + strconv.Itoa(int(number))
}

func errnoName(number syscall.Errno) string {
	if e := findOwn(number); e != nil {
		return e.name
	}
	return "errno " + strconv.Itoa(int(number))
}
