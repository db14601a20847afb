// SPDX-License-Identifier: MIT

package dmz

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// Choose makes a Setup an Option of Start.
func (s Setup) choose(start *start) {
	start.setups = append(start.setups, s)
}

// ThroughSetup has no other route: the program would run without its setup.
func (s *start) throughSetup() error {
	if s.cmd.Err != nil {
		return s.cmd.Start() // a program that is not in PATH
	}
	if reason := s.reasonAgainstSetup(); reason != "" {
		return s.giveUp(s.refusal(reason))
	}
	stub, err := s.stubOfSetup()
	if err != nil {
		return s.giveUp(err)
	}
	defer runtime.KeepAlive(s.stub)
	if s.stub == nil {
		defer syscall.Close(stub)
	}
	// The report comes after the descriptors of the setup.
	extra := s.cmd.ExtraFiles
	if missing := s.setups[0].ceiling() + 1 - s.reportNumber(); missing > 0 {
		s.cmd.ExtraFiles = append(extra[:len(extra):len(extra)], make([]*os.File, missing)...)
	}
	err = s.throughStub(stub)
	s.cmd.ExtraFiles = extra
	return err
}

func (s *start) refusal(reason string) error {
	return &refusal{failure(s.path, ownMachine, StepStub, uint16(syscall.EINVAL)), reason}
}

// StubOfSetup returns the caller's stub, or a new one.
func (s *start) stubOfSetup() (int, error) {
	if s.route == through {
		stub := int(s.stub.Fd())
		if !isStubOfSetup(stub) {
			return -1, s.refusal("the stub of Through has no setup")
		}
		return stub, nil
	}
	stub, err := s.setups[0].stub()
	if refused, ok := err.(*refusal); ok {
		refused.at.Path = s.path
	}
	return stub, err
}

func isStubOfSetup(stub int) bool {
	has, errno := hasActions(stub)
	return has && errno == 0
}

// ReasonAgainstSetup returns why the child cannot go through a stub, or "". Package syscall execs the stub by its name in /proc, which
// would be another file without procfs.
func (s *start) reasonAgainstSetup() string {
	const numberMax = 1 << 16 // there is an entry in ExtraFiles for each number
	setup, attr := &s.setups[0], s.cmd.SysProcAttr
	switch {
	case len(s.setups) > 1:
		return "there is more than one"
	case s.route == direct:
		return "it cannot be combined with Direct"
	case setup.ceiling() > numberMax:
		return fmt.Sprintf("a number in Descriptors is above %d", numberMax-1)
	case !hasProc():
		return "the stub cannot start, because /proc is not procfs"
	case attr != nil && attr.Chroot != "":
		return "it cannot be combined with Chroot of SysProcAttr: use First"
	case attr != nil && attr.Ptrace:
		return "it cannot be combined with Ptrace of SysProcAttr"
	case attr != nil && len(attr.AmbientCaps) > 0:
		return "it cannot be combined with AmbientCaps of SysProcAttr: use Capabilities"
	}
	reason, err := s.routeWithSetup(setup)
	if err != nil {
		return err.Error()
	}
	if reason != RouteStub {
		return reason.String()
	}
	return ""
}

func (s *start) routeWithSetup(setup *Setup) (Reason, error) {
	identity, err := identityForRoute()
	if err != nil {
		return 0, err
	}
	if attr := s.cmd.SysProcAttr; attr != nil && attr.Credential != nil && !identity.become(attr.Credential) {
		return RouteDirectCredentials, nil
	}
	path := s.path
	for _, directory := range []string{setup.Dir, s.cmd.Dir} {
		if directory != "" && path != "" && path[0] != '/' {
			path = directory + "/" + path // as the child sees it
		}
	}
	reason := Route(&identity, path)
	if reason == RouteDirectCredentials && setup.replaces(&identity) {
		reason = RouteStub
		if changesWithExec(path) {
			reason = RouteDirectPath
		}
	}
	return reason, nil
}

// Replaces: does the program get the same ids and capabilities as without the stub's exec? The setup must set all of them, and that
// exec must not take away a privilege of the process.
func (s *Setup) replaces(identity *Identity) bool {
	return s.Credential != nil && s.Capabilities != nil && identity.UID == identity.EUID &&
		identity.Permitted&^identity.permittedAfterExec() == 0
}
