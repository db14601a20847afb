// SPDX-License-Identifier: MIT

package dmz

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

func record() []byte {
	return []byte{'d', 'm', 'z', 1, 62, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0}
}

func TestDecode(t *testing.T) {
	e, err := Decode(record(), "/x")
	if err != nil {
		t.Fatal(err)
	}
	want := Error{ExecFailed, "/x", syscall.ENOEXEC, 8, 62, StepExec, StatusUnknown}
	if *e != want {
		t.Errorf("%+v instead of %+v", *e, want)
	}
}

// Try each value of each byte: only those of machine, step and error may vary.
func TestDecodeEveryByte(t *testing.T) {
	for i := 0; i < recordSize; i++ {
		for b := 0; b < 256; b++ {
			r := record()
			r[i] = byte(b)
			_, err := Decode(r, "/x")
			step := int(r[6]) | int(r[7])<<8
			good := r[i] == record()[i] || i == 4 && b != 0 || i == 5 || i == 6 && step <= 1 || i == 7 && step >= 0x4000 ||
				i == 8 || i == 9 && b < 16
			if good != (err == nil) {
				t.Errorf("byte %d is %#x: %v", i, b, err)
			}
			if err != nil && !errors.Is(err, syscall.EPROTO) {
				t.Errorf("byte %d is %#x: %v", i, b, err)
			}
		}
	}
}

func TestDecodeEverySize(t *testing.T) {
	for size := 0; size < 64; size++ {
		r := append(append(append(record(), record()...), record()...), record()...)[:size]
		if _, err := Decode(r, ""); (err == nil) != (size == recordSize) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestReadWhatIsWritten(t *testing.T) {
	for _, test := range []struct {
		bytes []byte
		want  error // an *Error if it is nil
	}{
		{record(), nil},
		{record()[:15], syscall.EPROTO},
		{append(record(), 0), syscall.EPROTO},
		{append(record(), record()...), syscall.EPROTO},
		{[]byte("x"), syscall.EPROTO},
	} {
		r, w, err := Pipe()
		if err != nil {
			t.Fatal(err)
		}
		w.Write(test.bytes)
		w.Close()
		err = Read(r, 0, "/x")
		if again := Read(r, 0, "/x"); !errors.Is(again, os.ErrClosed) {
			t.Errorf("%x: once more: %v", test.bytes, again)
		}
		if test.want == nil && asError(t, err).Errno != syscall.ENOEXEC || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%x: %v", test.bytes, err)
		}
	}
}

func TestReadEndOfFile(t *testing.T) {
	r, w, err := Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w.Close()
	if err := Read(r, 0, "/x"); err != nil {
		t.Error(err)
	}
	// It is not a child, so nothing is known about it.
	if e := asError(t, Read(r, os.Getppid(), "/x")); e.Verdict != Closed || e.Status != StatusUnknown {
		t.Errorf("%+v", e)
	}
}

func TestReadDescriptorsThatCannotBe(t *testing.T) {
	r, w, err := Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.SetReadDeadline(time.Now())
	if err := Read(r, 0, "/x"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	w.Close()
	r.Close()
	if err := Read(r, 0, "/x"); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	if err := Read(nil, 0, "/x"); !errors.Is(err, os.ErrInvalid) {
		t.Error(err)
	}
	if err := Read(nil, -1, "/x"); !errors.Is(err, syscall.EINVAL) {
		t.Error(err)
	}
	directory, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer directory.Close()
	if err := Read(directory, 0, "/x"); !errors.Is(err, syscall.EISDIR) {
		t.Error(err)
	}
}
