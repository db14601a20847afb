// SPDX-License-Identifier: MIT

package dmz

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func pointer[T any](value T) *T {
	return &value
}

var testFilter = []syscall.SockFilter{{Code: 0x20, K: 4}, {Code: 0x15, Jt: 1, Jf: 2, K: 0xc000003e}, {Code: 6, K: 0x7fff0000}}

func as1000() *syscall.Credential {
	return &syscall.Credential{Uid: 1000, Gid: 20}
}

// The same setups as in tests/programs/prog_images.c.
func imageCases(m *machine) map[string]Setup {
	number := func(c call) uintptr { return uintptr(m.number(c)) }
	minus := func(n int) uintptr { return uintptr(-n) }
	calls := []Call{
		{Step: 0x8000, Number: number(sysOpenat), Args: [6]Arg{{Value: minus(100)}, String("/x"), {Value: 0x80000}}},
		{Step: 0x8001, Number: number(sysFchdir), UseResult: true},
		{Step: 0xfffe, Number: number(sysSetsid), Args: [6]Arg{{Data: []byte{}}}, IgnoreFailure: true},
		{Step: 0x8123, Number: number(sysPrctl),
			Args: [6]Arg{{Value: 1}, {Value: 2}, {Value: 3}, {Value: 4}, {Value: 5}, {Data: []byte("12345678")}}},
		{Step: 0x8124, Number: number(sysCloseRange), Args: [6]Arg{{Value: 3}, {Value: minus(1)}, {Value: 4}}},
	}
	nobody := as1000()
	nobody.Uid, nobody.Groups = 4294967294, []uint32{7, 1000, 70000}
	kept := as1000()
	kept.NoSetGroups = true
	return map[string]Setup{
		"nothing":            {},
		"calls":              {First: calls, Last: calls[:2]},
		"label":              {Label: "system_u:system_r:container_t:s0"},
		"profile-below-proc": {AppArmorProfile: "docker-default", Proc: 9},
		"session":            {Setsid: true, Setctty: true, Ctty: 5},
		"terminal-0":         {Setctty: true},
		"process-group":      {Setpgid: true, Pgid: 77},
		"directory":          {Dir: "/usr/bin", Credential: as1000()},
		"directory-fd":       {DirFD: 6},
		"oom-score":          {OOMScoreAdj: pointer(-1000), Proc: 9},
		"limits":             {Rlimits: []Rlimit{{m.rlimitNofile, 64, 128}, {syscall.RLIMIT_CORE, 0, ^uint64(0)}}},
		"scheduling": {Nice: pointer(-20), Scheduler: &Scheduler{Policy: 1, Priority: 7}, Affinity: []int{65, 0},
			IOPriority: pointer(2<<13 | 7)},
		"rest": {Umask: pointer[uint32](0o27), TimerSlack: 123456 * time.Nanosecond, Personality: pointer[uint32](0xfffffff0),
			Keyring: pointer("of-a-setup")},
		"keyring":          {Keyring: pointer("")},
		"user":             {Credential: as1000()},
		"user-with-groups": {Credential: nobody},
		"kept-groups":      {Credential: kept},
		"groups":           {Groups: nobody.Groups},
		"no-groups":        {Groups: []uint32{}},
		"bounding":         {Bounding: pointer[uint64](1 | 1<<5 | 1<<40)},
		"securebits":       {Securebits: pointer[uint32](0x2f)},
		"capabilities":     {Capabilities: &Capabilities{Bounding: ^uint64(0), Permitted: 1, Effective: 1}},
		"capabilities-of-user": {Credential: as1000(), Securebits: pointer[uint32](0x2f), Capabilities: &Capabilities{
			Bounding: 1<<5 | 1<<35, Permitted: 1 | 1<<5 | 1<<35, Effective: 1 << 5, Inheritable: 1<<5 | 1<<35, Ambient: 1<<5 | 1<<35}},
		"death-signal":   {Credential: as1000(), Pdeathsig: syscall.SIGKILL},
		"no-new-privs":   {NoNewPrivs: true, Landlock: 8},
		"descriptors":    {Descriptors: []Descriptor{{40, 41}, {41, 42}, {42, 40}, {43, 43}, {40, 60}, {50, 51}}},
		"no-descriptors": {Descriptors: []Descriptor{}},
		"signals": {DefaultSignals: []syscall.Signal{64, 1, 9, 15, syscall.Signal(m.sigstop), 40},
			SignalMask: []syscall.Signal{2, 40, 15, 64}},
		"filter":         {NoNewPrivs: true, Seccomp: testFilter, SeccompFlags: 2},
		"filter-of-root": {Seccomp: testFilter},
		"filter-of-user": {Credential: as1000(), Seccomp: testFilter, Capabilities: &Capabilities{
			Bounding: ^uint64(0), Permitted: 1 << 5, Effective: 1 << 5, Inheritable: 1 << 5, Ambient: 1 << 5}},
	}
}

// Each image is that of C, byte for byte. DMZ_TEST_IMAGES is a directory with those of several GOARCHes.
func TestSetupImages(t *testing.T) {
	directory := os.Getenv("DMZ_TEST_IMAGES")
	if directory == "" {
		program := built(t, "tests/prog_images")
		directory = t.TempDir()
		own := filepath.Join(directory, runtime.GOARCH)
		if err := os.Mkdir(own, 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(program, own).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	goarches, err := os.ReadDir(directory)
	if err != nil || len(goarches) == 0 {
		t.Fatal(goarches, err)
	}
	for _, goarch := range goarches {
		t.Run(goarch.Name(), func(t *testing.T) { compareImages(t, filepath.Join(directory, goarch.Name()), goarch.Name()) })
	}
}

func compareImages(t *testing.T, directory, goarch string) {
	stub, err := os.ReadFile(filepath.Join(directory, "plain"))
	if err != nil {
		t.Fatal(err)
	}
	m := machineNamed(goarch)
	cases := imageCases(m)
	files, err := os.ReadDir(directory)
	if err != nil || len(files) != len(cases)+1 {
		t.Errorf("%d images in C, %d here, %v", len(files)-1, len(cases), err)
	}
	for name, setup := range cases {
		want, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			t.Error(err)
			continue
		}
		image, err := setup.compile(m, stub)
		if err != nil || !bytes.Equal(image, want) {
			t.Errorf("%s: %v\n%s\nin C:\n%s", name, err, words(m, image), words(m, want))
		}
	}
}

// Words are for a person who compares two images.
func words(m *machine, image []byte) (text string) {
	for at := 0; at+4 <= len(image); at += 4 {
		if at >= 0x200 || at < 0xc0 {
			text += fmt.Sprintf("%x: %08x\n", at, m.order.Uint32(image[at:]))
		}
	}
	return text
}

// What C refuses, with its step (errpipe_setup_check), and what only this package can refuse.
func TestSetupRefuses(t *testing.T) {
	raw := func(call Call) Setup { return Setup{Last: []Call{call}} }
	own := machineNamed(runtime.GOARCH)
	number := func(c call) uintptr { return uintptr(own.number(c)) }
	nobody := func(uid, gid uint32) Setup { return Setup{Credential: &syscall.Credential{Uid: uid, Gid: gid}} }
	files := []Rlimit{{own.rlimitNofile, 5, 64}}
	for _, test := range []struct {
		step  uint16
		setup Setup
	}{
		{0x8000, raw(Call{Step: 0x8000, Number: number(sysExitGroup)})},
		{0x8000, raw(Call{Step: 0x8000, Number: number(sysExecve)})},
		{0x8000, raw(Call{Step: 0x8000, Number: number(sysClone)})},
		{0x8000, raw(Call{Step: 0x8000, Number: number(sysCloseRange), Args: [6]Arg{{Value: 3}, {Value: 99}}})},
		{StepStub, raw(Call{Step: 1, Number: number(sysUmask)})},
		{StepStub, raw(Call{Step: 0xffff, Number: number(sysUmask)})},
		{0x8000, raw(Call{Step: 0x8000, Number: number(sysFchdir), UseResult: true})},
		{0x8001, Setup{First: []Call{{Step: 0x8000, Number: number(sysUmask), IgnoreFailure: true},
			{Step: 0x8001, Number: number(sysFchdir), UseResult: true}}}},
		{StepStub, Setup{First: make([]Call, 4097)}},
		{StepStub, raw(Call{Step: 0x8000, Number: number(sysUmask), Args: [6]Arg{{Data: make([]byte, 1<<24)}}})},
		{StepLabel, Setup{Label: "x\x00"}},
		{StepLabel, Setup{Label: strings.Repeat("x", 4091)}},
		{StepLabel, Setup{Label: "x", AppArmorProfile: "x"}},
		{StepProcessGroup, Setup{Setsid: true, Setpgid: true}},
		{StepDirectory, Setup{Dir: "/", DirFD: 3}},
		{StepDirectory, Setup{Dir: "/\x00"}},
		{StepLimit, Setup{Rlimits: []Rlimit{{0, 2, 1}}}},
		{StepLimit, Setup{Rlimits: []Rlimit{{16, 1, 2}}}},
		{StepNice, Setup{Nice: pointer(20)}},
		{StepAffinity, Setup{Affinity: []int{}}},
		{StepAffinity, Setup{Affinity: []int{-1}}},
		{StepOomScore, Setup{OOMScoreAdj: pointer(1001)}},
		{StepUmask, Setup{Umask: pointer[uint32](0o1000)}},
		{StepUmask, Setup{Umask: pointer[uint32](1<<32 - 1)}},
		{StepTimerSlack, Setup{TimerSlack: -1}},
		{StepKeyring, Setup{Keyring: pointer("x\x00")}},
		{StepUser, nobody(1<<32-1, 0)},
		{StepGroup, nobody(0, 1<<32-1)},
		{StepGroups, Setup{Groups: []uint32{1}, Credential: as1000()}},
		{StepGroups, Setup{Groups: make([]uint32, 65537)}},
		{StepBounding, Setup{Bounding: pointer[uint64](0), Capabilities: &Capabilities{}}},
		{StepCapabilities, Setup{Capabilities: &Capabilities{Effective: 1}}},
		{StepAmbient, Setup{Capabilities: &Capabilities{Permitted: 1, Ambient: 1}}},
		{StepDeathSignal, Setup{Pdeathsig: 128}},
		{StepDeathSignal, Setup{Pdeathsig: -1}},
		{StepDescriptors, Setup{Descriptors: []Descriptor{{0, 5}, {1, 5}}}},
		{StepDescriptors, Setup{Descriptors: []Descriptor{{-1, 5}}}},
		{StepDescriptors, Setup{Descriptors: []Descriptor{{0, 5}}, Rlimits: files}},
		{StepDescriptors, Setup{Descriptors: []Descriptor{{3, 4}, {4, 3}}, Rlimits: files}},
		{StepDescriptors, Setup{Descriptors: make([]Descriptor, 257)}},
		{StepSignals, Setup{SignalMask: []syscall.Signal{0}}},
		{StepSignals, Setup{DefaultSignals: []syscall.Signal{128}}},
		{StepSeccomp, Setup{Seccomp: []syscall.SockFilter{}}},
		{StepSeccomp, Setup{Seccomp: make([]syscall.SockFilter, 4097)}},
		{StepSeccomp, Setup{Seccomp: testFilter, SeccompFlags: 8}},
		{StepSeccomp, Setup{Seccomp: testFilter, Credential: as1000()}},
	} {
		stub, err := test.setup.Stub()
		var e *Error
		if stub != nil || !errors.As(err, &e) || e.Step != test.step || e.Verdict != SetupFailed {
			t.Errorf("step %#x: %v, %+v", test.step, err, e)
		} else if !strings.HasPrefix(err.Error(), "dmz: setup: ") || !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.E2BIG) {
			t.Error(err)
		}
	}
}

func TestCapabilitySet(t *testing.T) {
	set, err := CapabilitySet("CAP_CHOWN", "CAP_CHECKPOINT_RESTORE", "CAP_CHOWN")
	if err != nil || set != 1|1<<40 {
		t.Errorf("%#x, %v", set, err)
	}
	if set, err := CapabilitySet(); err != nil || set != 0 {
		t.Errorf("%#x, %v", set, err)
	}
	for _, name := range []string{"", "chown", "CAP_NOTHING"} {
		if _, err := CapabilitySet(name); !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), strconv.Quote(name)) {
			t.Error(err)
		}
	}
}

func TestResource(t *testing.T) {
	for name, want := range map[string]int{"CPU": syscall.RLIMIT_CPU, "FSIZE": syscall.RLIMIT_FSIZE, "DATA": syscall.RLIMIT_DATA,
		"STACK": syscall.RLIMIT_STACK, "CORE": syscall.RLIMIT_CORE, "NOFILE": syscall.RLIMIT_NOFILE, "AS": syscall.RLIMIT_AS} {
		if resource, err := Resource("RLIMIT_" + name); err != nil || resource != want {
			t.Errorf("%s: %d instead of %d, %v", name, resource, want, err)
		}
	}
	for _, name := range []string{"", "NOFILE", "RLIMIT_", "RLIMIT_nofile"} {
		if _, err := Resource(name); !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), strconv.Quote(name)) {
			t.Error(err)
		}
	}
}

// The stub of a setup is sealed like any other.
func TestSetupStubIsSealed(t *testing.T) {
	stub, err := Setup{NoNewPrivs: true}.Stub()
	if err != nil {
		t.Fatal(err)
	}
	defer stub.Close()
	assertSealed(t, stub)
}

var asNobody = Setup{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}

// ChildSetup execs a program as nobody, with a stub that was lost in some way.
func childSetup(args []string) {
	way, path, argv := args[0], args[1], args[2:]
	if image := strings.TrimPrefix(way, "image-"); image != way {
		mountImage()
		way = image
	}
	setup := asNobody
	if way == "refused" {
		setup.Nice = pointer(77)
	}
	stub, err := setup.Stub()
	if (err != nil) != (way == "refused") {
		panic(err)
	}
	fd := int(stub.Fd()) // -1 if it was refused
	switch again := descriptorPath(fd); way {
	case "closed":
		stub.Close()
	case "null":
		fd, err = syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	case "again":
		fd, err = syscall.Open(again, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	case "path":
		fd, err = syscall.Open(again, oPath|syscall.O_CLOEXEC, 0)
	case "written": // as root in a container can do it
		_, err = syscall.Open(again, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	case "truncated":
		fd, err = truncatedStub(stub)
	case "long":
		argv = append(argv, strings.Repeat("x", 1<<17))
	}
	if err != nil && way != "refused" {
		panic(err)
	}
	if refused := os.Getenv(refuseVariable); refused != "" {
		runtime.LockOSThread()
		refuse(strings.Fields(refused))
	}
	flags := Fallback
	if way == "null" || way == "truncated" { // these have no setup that could be seen
		flags = 0
	}
	Exec(fd, reportFD, flags, path, argv, os.Environ())
	runtime.KeepAlive(stub)
	os.Exit(exitReturned)
}

// TruncatedStub returns a copy without the last action, which ends the list.
func truncatedStub(stub *os.File) (int, error) {
	image := make([]byte, 1<<16)
	n, err := stub.ReadAt(image, 0)
	if err != io.EOF {
		return -1, err
	}
	own := machineNamed(runtime.GOARCH)
	fd, errno := memfdCreate("truncated", mfdCloexec)
	if errno != 0 {
		return -1, errno
	}
	defer syscall.Close(fd)
	if _, err := syscall.Write(fd, image[:n-8-6*own.word]); err != nil {
		return -1, err
	}
	return syscall.Open(descriptorPath(fd), syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
}

func needRoot(t *testing.T) {
	skipUnderEmulator(t)
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// A setup asks for another user. However the stub is lost, the program never runs as root.
func TestSetupIsNeverSkipped(t *testing.T) {
	needRoot(t)
	const nobody = "65534\n"
	refusal := func(c call) string { return fmt.Sprint(numberOf(c), " ", int(syscall.EPERM)) }
	for _, test := range []struct {
		way, refused, out string
		step              uint16
	}{
		{"as it is", "", nobody, 0},
		{"again", "", nobody, 0},
		{"path", "", nobody, 0},
		{"as it is", refusal(sysExecveat), nobody, 0},
		{"image-as it is", "", nobody, 0},
		{"image-as it is", refusal(sysExecveat), "", StepStub},
		{"refused", "", "", StepStub},
		{"closed", "", "", StepStub},
		{"null", "", "", StepStub},
		{"written", "", "", StepStub},
		{"truncated", "", "", 0},
		{"long", "", "", StepExec},
		{"as it is", refusal(sysExecve), "", StepExec},
		{"as it is", refusal(sysSetresuid), "", StepUser},
	} {
		cmd := self("setup", test.way, "/bin/sh", "sh", "-c", "id -u")
		if strings.HasPrefix(test.way, "image-") {
			cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		}
		cmd.Env = append(cmd.Env, refuseVariable+"="+test.refused)
		var out bytes.Buffer
		cmd.Stdout = &out
		report, status := readReport(t, cmd, "/bin/sh")
		if out.String() != test.out || (report == nil) != (test.out != "") {
			t.Errorf("%s, %s: %q, %v, status %#x", test.way, test.refused, out.String(), report, status)
		}
		if e, ok := report.(*Error); ok && e.Step != test.step {
			t.Errorf("%s, %s: %v in step %#x", test.way, test.refused, e, e.Step)
		}
	}
}
