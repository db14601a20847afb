// SPDX-License-Identifier: MIT

package dmz

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"syscall"
)

// Read reads the report of one attempt to exec path from r, the read end of a pipe, FIFO or socket. It returns nil if the
// program was started, and an [*Error] if not.
//
// End of file proves only that nobody holds the write end any more. With pid 0 a nil is therefore provisional; once the
// process has ended, [Settle] can make it final. With the pid of a child of this process, Read checks that child at end of
// file, which costs some 25 microseconds. The verdict is Died if the child is exiting without ever having exec'd anything but
// the stub. It is Closed if that cannot be known.
//
// Read closes r once it has read something from it. A second Read therefore reports [os.ErrClosed]; it would otherwise take
// the end of file after a record for a success. At end of file, and after an error of r.Read, r stays open and the caller
// closes it. You may close r in every case.
//
// Errors other than *Error: EINVAL if pid is below 0; EPROTO if the bytes are not exactly one record of a known version; and those
// of r.Read, with [os.ErrDeadlineExceeded] after r.SetReadDeadline.
func Read(r *os.File, pid int, path string) error {
	if pid < 0 {
		return fmt.Errorf("dmz: process %d: %w", pid, syscall.EINVAL)
	}
	var bytes [recordSize + 1]byte // one more, to notice a second record after the first
	n, err := r.Read(bytes[:])
	if err == io.EOF {
		if pid == 0 {
			return nil
		}
		return look(pid, path, syscall.WNOHANG, anyStub(nil)).orNil()
	}
	if err != nil {
		return err
	}
	r.Close()
	e, err := Decode(bytes[:n], path)
	if err != nil {
		return err
	}
	return e
}

// Decode decodes a record that was read by other means. It must be exactly one record; otherwise the error is EPROTO.
func Decode(record []byte, path string) (*Error, error) {
	if len(record) != recordSize || binary.LittleEndian.Uint32(record) != magic || binary.LittleEndian.Uint32(record[12:]) != 0 {
		return nil, notARecord(path)
	}
	machine, step := binary.LittleEndian.Uint16(record[4:]), binary.LittleEndian.Uint16(record[6:])
	raw := binary.LittleEndian.Uint32(record[8:])
	if machine == 0 || !possible(step, raw) {
		return nil, notARecord(path)
	}
	return failure(path, machine, step, uint16(raw)), nil
}

func notARecord(path string) error {
	return fmt.Errorf("dmz: the report of %s is not a record: %w", escape(path), syscall.EPROTO)
}

// Seccomp(2) can refuse a system call without an errno. The caller's own steps always have one.
func possible(step uint16, raw uint32) bool {
	if raw > maxErrno {
		return false
	}
	if step >= StepCaller && step <= stepCallerLast {
		return raw != 0
	}
	_, known := stepWords[step]
	return known || step >= StepSetup && step <= stepSetupLast
}
