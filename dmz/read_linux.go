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
// End of file proves only that nobody holds the write end any more, so with pid 0 the nil is provisional; [Settle] can tell more
// once the process has ended. A pid above 0, of a child of this process, is looked at when end of file comes, which costs
// some 25 microseconds: the error is then Died if it is on its way out without ever having exec'd anything but the stub, and Closed
// if that cannot be known.
//
// Read closes r once it has read something from it: at the end of file behind a record, a second Read would report success. Now it
// reports [os.ErrClosed].
//
// Errors that are no *Error: EINVAL, pid is below 0; EPROTO, the bytes are not one record that a stub of a known version writes; and those of r.Read,
// with [os.ErrDeadlineExceeded] after r.SetReadDeadline.
func Read(r *os.File, pid int, path string) error {
	if pid < 0 {
		return fmt.Errorf("dmz: process %d: %w", pid, syscall.EINVAL)
	}
	var bytes [recordSize + 1]byte // a second record behind the first must not go unseen
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

// Decode decodes a record that was read by other means. It takes exactly one record, neither a part nor two; its error is
// EPROTO.
func Decode(record []byte, path string) (*Error, error) {
	if len(record) != recordSize || binary.LittleEndian.Uint32(record) != magic || binary.LittleEndian.Uint32(record[12:]) != 0 {
		return nil, notARecord(path)
	}
	machine, step := binary.LittleEndian.Uint16(record[4:]), binary.LittleEndian.Uint16(record[6:])
	raw := binary.LittleEndian.Uint32(record[8:])
	if machine == 0 || !possible(step, raw) {
		return nil, notARecord(path)
	}
	e := &Error{
		Verdict: SetupFailed,
		Path:    path,
		Errno:   hostErrno(machine, uint16(raw)),
		Raw:     int(raw),
		Machine: machine,
		Step:    step,
		Status:  StatusUnknown,
	}
	if step == StepExec {
		e.Verdict = ExecFailed
	}
	return e, nil
}

func notARecord(path string) error {
	return fmt.Errorf("dmz: the report of %s is not a record: %w", escape(path), syscall.EPROTO)
}

// A system call can be refused without an error, by seccomp(2). A step of the caller's has one.
func possible(step uint16, raw uint32) bool {
	if raw > maxErrno {
		return false
	}
	if step >= StepCaller && step <= stepCallerLast {
		return raw != 0
	}
	return step == StepExec || step == StepFcntl || step == StepStub
}
