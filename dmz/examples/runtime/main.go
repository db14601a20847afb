// SPDX-License-Identifier: MIT

// Runtime runs a process as a container runtime does, in its own namespaces, and prints the reason if it could not:
//
//	runtime PROCESS [FILTER]
//
// PROCESS is a file with the object "process" of an OCI bundle's config.json. FILTER is a file with a seccomp(2) filter, as
// seccomp_export_bpf(3) writes it. A runtime also makes a root file system, mounts, cgroups and a network. They would all be in
// initialize.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"errpipe/dmz"
)

const (
	stubFD, reportFD = 3, 4 // in the init, which gets them in this order

	initName = "runtime:[init]" // the process name by which Settle recognises the init
)

// Package json ignores the case of a member's name.
type process struct {
	Args []string
	Env  []string
	Cwd  string
	User struct {
		UID, GID       uint32
		AdditionalGids []uint32
		Umask          *uint32
	}
	Capabilities struct{ Bounding, Effective, Inheritable, Permitted, Ambient []string }
	Rlimits      []struct {
		Type       string
		Soft, Hard uint64
	}
	NoNewPrivileges bool
	ApparmorProfile string
	SelinuxLabel    string
	OOMScoreAdj     *int
}

func main() {
	if os.Args[0] == "init" {
		os.Exit(initialize(os.Args[1:]))
	}
	if len(os.Args) < 2 || len(os.Args) > 3 {
		fmt.Fprintln(os.Stderr, "usage: runtime PROCESS [FILTER]")
		os.Exit(125)
	}
	process, setup, err := load(os.Args[1], os.Args[2:])
	if err == nil {
		err = run(process, setup)
	}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(dmz.ExitCode(err, dmz.POSIX))
}

func load(file string, filters []string) (*process, *dmz.Setup, error) {
	process := new(process)
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(text, process); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(process.Args) == 0 {
		return nil, nil, fmt.Errorf("%s: args is empty", file)
	}
	setup, err := process.setup()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, filter := range filters {
		if setup.Seccomp, err = readFilter(filter); err != nil {
			return nil, nil, err
		}
	}
	return process, setup, nil
}

// Setup returns the last steps of the init. It replaces these of runc: setupRlimits, apparmor.ApplyProfile, selinux.SetExecLabel,
// PR_SET_NO_NEW_PRIVS, seccomp.InitSeccomp, the whole of finalizeNamespace, the death signal's Restore, UnsafeCloseFrom, and the
// thread that all of them are locked to.
func (p *process) setup() (*dmz.Setup, error) {
	setup := &dmz.Setup{
		Label:           p.SelinuxLabel,
		AppArmorProfile: p.ApparmorProfile,
		Dir:             p.Cwd,
		OOMScoreAdj:     p.OOMScoreAdj,
		Umask:           p.User.Umask,
		Credential:      &syscall.Credential{Uid: p.User.UID, Gid: p.User.GID, Groups: p.User.AdditionalGids},
		Capabilities:    new(dmz.Capabilities),
		NoNewPrivs:      p.NoNewPrivileges,
		Descriptors:     []dmz.Descriptor{}, // only the standard streams. For --preserve-fds N: 3 to 2+N
	}
	// A user namespace with one group may not change its groups: user_namespaces(7).
	setup.Credential.NoSetGroups = isRootless() && len(p.User.AdditionalGids) == 0
	for _, limit := range p.Rlimits {
		resource, err := dmz.Resource(limit.Type)
		if err != nil {
			return nil, err
		}
		setup.Rlimits = append(setup.Rlimits, dmz.Rlimit{Resource: resource, Soft: limit.Soft, Hard: limit.Hard})
	}
	for set, names := range map[*uint64][]string{
		&setup.Capabilities.Bounding:    p.Capabilities.Bounding,
		&setup.Capabilities.Effective:   p.Capabilities.Effective,
		&setup.Capabilities.Inheritable: p.Capabilities.Inheritable,
		&setup.Capabilities.Permitted:   p.Capabilities.Permitted,
		&setup.Capabilities.Ambient:     p.Capabilities.Ambient,
	} {
		var err error
		if *set, err = dmz.CapabilitySet(names...); err != nil {
			return nil, err
		}
	}
	return setup, nil
}

func readFilter(file string) ([]syscall.SockFilter, error) {
	const size = int(unsafe.Sizeof(syscall.SockFilter{}))
	bytes, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if len(bytes) == 0 || len(bytes)%size != 0 {
		return nil, fmt.Errorf("%s: not a filter: it has %d bytes", file, len(bytes))
	}
	return unsafe.Slice((*syscall.SockFilter)(unsafe.Pointer(&bytes[0])), len(bytes)/size), nil
}

func isRootless() bool {
	return os.Geteuid() != 0
}

func run(p *process, setup *dmz.Setup) error {
	stub, err := setup.Stub() // one for each container
	if err != nil {
		return err
	}
	r, w, err := dmz.Pipe()
	if err != nil {
		return err
	}
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: append([]string{"init"}, p.Args...), Env: p.Env}
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	cmd.ExtraFiles = []*os.File{stub, w}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Cloneflags: syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWPID}
	if isRootless() {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.Close() // or there would be no end of file
	stub.Close()

	if err = dmz.Read(r, 0, p.Args[0]); err != nil {
		cmd.Process.Kill() // it is exiting anyway; if the record was forged, this makes it true
		if e := (*dmz.Error)(nil); errors.As(err, &e) && e.Step == stepSearch {
			err = &exec.Error{Name: p.Args[0], Err: exec.ErrNotFound}
		}
	} else {
		err = dmz.Settle(cmd.Process.Pid, p.Args[0], initName, strconv.Itoa(stubFD)) // waits for the end of the init
	}
	if exit := cmd.Wait(); err == nil {
		err = exit
	}
	return err
}

// The steps of the init itself.
const (
	stepName = dmz.StepCaller + iota
	stepHostname
	stepSearch
)

func initialize(argv []string) int {
	runtime.LockOSThread()
	if err := os.WriteFile("/proc/self/comm", []byte(initName), 0); err != nil {
		return fail(stepName, err)
	}
	if err := syscall.Sethostname([]byte("container")); err != nil {
		return fail(stepHostname, err)
	}
	path, err := find(argv[0])
	if err != nil {
		return fail(stepSearch, err)
	}
	// A runtime has CREATE and START: it waits here until somebody opens its FIFO. dmz/examples/create-start shows that.
	dmz.Exec(stubFD, reportFD, 0, path, argv, os.Environ())
	return 125
}

// Find searches PATH, as the container sees it. Any other path is relative to the directory that the setup enters later.
func find(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	path, err := exec.LookPath(name)
	if err == nil && !filepath.IsAbs(path) {
		err = exec.ErrNotFound
	}
	return path, err
}

func fail(step uint16, err error) int {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		errno = syscall.ENOENT
	}
	dmz.Fail(reportFD, step, errno)
	return 125
}
