// SPDX-License-Identifier: MIT

package dmz

import (
	"runtime"
	"strconv"
	"syscall"
)

// Families of architectures with the same errno numbers.
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

// The ELF e_machine of this program. A record names its errno numbering by that.
var ownMachine = machines[runtime.GOARCH]

func familyOf(machine uint16) int {
	return familyByMachine[machine] // 0 is generic
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

// HostErrno returns this host's number for the error with the number raw on machine, or 0 if no error here has that name.
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
