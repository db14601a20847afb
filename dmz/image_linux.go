// SPDX-License-Identifier: MIT

package dmz

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"syscall"
)

// A machine is the target of the compiler. It need not be this one, so that the tests can compare each of them with C.
type machine struct {
	order  binary.ByteOrder
	word   int // bytes of a long
	column int // of callNumbers

	// From asm/signal.h, asm/resource.h and asm/ioctls.h.
	setSize, sigstop, sigSetmask int // setSize: the bytes of a set of signals
	rlimitNofile, tiocsctty      int
}

func machineNamed(goarch string) *machine {
	m := &machine{binary.LittleEndian, 4, callColumns[goarch], 8, 19, 2, 7, 0x540e}
	if strings.Contains(goarch, "64") || goarch == "s390x" {
		m.word = 8
	}
	switch goarch {
	case "mips", "mips64", "ppc64", "s390x":
		m.order = binary.BigEndian
	}
	if strings.HasPrefix(goarch, "mips") {
		m.setSize, m.sigstop, m.sigSetmask, m.rlimitNofile, m.tiocsctty = 16, 23, 3, 5, 0x5480
	}
	return m
}

// Number returns 0 for a call that the machine lacks.
func (m *machine) number(c call) int {
	return int(callNumbers[c][m.column])
}

func (m *machine) append16(b []byte, n uint16) []byte {
	at := len(b)
	b = append(b, 0, 0)
	m.order.PutUint16(b[at:], n)
	return b
}

func (m *machine) append32(b []byte, n uint32) []byte {
	at := len(b)
	b = append(b, make([]byte, 4)...)
	m.order.PutUint32(b[at:], n)
	return b
}

func (m *machine) append64(b []byte, n uint64) []byte {
	at := len(b)
	b = append(b, make([]byte, 8)...)
	m.order.PutUint64(b[at:], n)
	return b
}

func (m *machine) appendLong(b []byte, n int64) []byte {
	if m.word == 4 {
		return m.append32(b, uint32(n))
	}
	return m.append64(b, uint64(n))
}

// A refusal says what is wrong with a setup. It unwraps to an *Error.
type refusal struct {
	at     *Error
	reason string
}

func (r *refusal) Error() string {
	return "dmz: setup: " + r.reason
}

func (r *refusal) Unwrap() error {
	return r.at
}

// An image is a stub with a list of actions (dmz/action.h) and, before them, the data that they point to.
type image struct {
	*machine
	stub, data, list []byte
	refused          *refusal // the first one. After it nothing is added
}

// From dmz/action.h and errpipe/lib/image.c.
const (
	imageBase = 0x400000
	imageMax  = 1 << 24

	useResult     = 1
	ignoreFailure = 2
	lastAction    = 1 // as the number of a step
)

func aligned(b []byte) []byte {
	const alignment = 8
	return append(b, make([]byte, -len(b)&(alignment-1))...)
}

func newImage(m *machine, stub []byte) *image {
	return &image{machine: m, stub: aligned(append([]byte(nil), stub...))}
}

func (i *image) refuse(step uint16, errno syscall.Errno, format string, args ...any) {
	if i.refused == nil {
		i.refused = &refusal{failure("", ownMachine, step, uint16(errno)), fmt.Sprintf(format, args...)}
	}
}

func (i *image) add(step, flags uint16, number uint32, args ...int64) {
	if i.refused != nil {
		return
	}
	i.list = i.append32(i.append16(i.append16(i.list, step), flags), number)
	for n := 0; n < 6; n++ {
		arg := int64(0)
		if n < len(args) {
			arg = args[n]
		}
		i.list = i.appendLong(i.list, arg)
	}
}

// Copy copies bytes into the image. It returns the address of the copy, as an argument of a call.
func (i *image) copy(bytes []byte) int64 {
	i.limit(len(bytes))
	if i.refused != nil || len(bytes) == 0 {
		return 0
	}
	at := imageBase + len(i.stub) + len(i.data)
	i.data = aligned(append(i.data, bytes...))
	return int64(at)
}

func (i *image) copyText(text string) int64 {
	return i.copy(append([]byte(text), 0))
}

func (i *image) limit(more int) {
	if len(i.stub)+len(i.data)+len(i.list)+more > imageMax {
		i.refuse(StepStub, syscall.E2BIG, "it is too large")
	}
}

// Finish returns the image. The first program header has its size, and the second one the address of the list (dmz/action.h).
func (i *image) finish() ([]byte, error) {
	list := imageBase + len(i.stub) + len(i.data)
	i.add(lastAction, 0, 0)
	i.limit(0)
	if i.refused != nil {
		return nil, i.refused
	}
	image := append(append(i.stub, i.data...), i.list...)
	headers := headersOf(i.word)
	put := func(at, n int) { copy(image[at:], i.appendLong(nil, int64(n))) }
	put(headers.filesz, len(image))
	put(headers.memsz, len(image))
	put(headers.list, list)
	return image, nil
}

// Headers are offsets in an image (elf.h): of the sizes in the first program header, and of the second program header.
type headers struct{ filesz, memsz, second, list int }

func headersOf(word int) headers {
	if word == 8 {
		return headers{64 + 32, 64 + 40, 64 + 56, 64 + 56 + 24}
	}
	return headers{52 + 16, 52 + 20, 52 + 32, 52 + 32 + 12}
}

// ImageHasActions checks a stub for this machine, of which it takes the beginning.
func imageHasActions(head []byte) bool {
	const ptGnuStack = 0x6474e551 // elf.h
	m := machineNamed(runtime.GOARCH)
	headers := headersOf(m.word)
	if len(head) < headers.list+m.word || m.order.Uint32(head[headers.second:]) != ptGnuStack {
		return false
	}
	return !bytes.Equal(head[headers.list:headers.list+m.word], make([]byte, m.word))
}
