// SPDX-License-Identifier: MIT

package dmz

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A Setup describes changes to the process before the program runs: its user, capabilities, limits, filters and so on.
// [Setup.Stub] turns it into a list of system calls, in the only order that works, and appends the list to a stub. The stub makes
// these calls after its own exec. By then the process has one thread and none of the caller's memory, and a change that acts on
// "the next exec" acts on the program.
//
// A setup is never skipped. If it is not valid, if the stub cannot start, or if a call fails, the program does not run. The error
// has the step, such as [StepUser]: "exec PATH: cannot set the user (EPERM)".
//
// A Setup of zeros changes nothing. A pointer or slice that is nil means unchanged; a slice that is empty, but not nil, is a value.
//
// The calls are made in the order of the fields. Descriptors are numbers in the process that execs the stub, like Ctty of
// [syscall.SysProcAttr]. They must be open there and not close-on-exec, which [Setup.Inherit] ensures. Each becomes close-on-exec
// after its last use, unless it is in Descriptors.
type Setup struct {
	// Calls to make before all others, with the privileges that the process still has.
	First []Call

	// The label of the program: a context of SELinux, or the name of a profile of AppArmor. The process writes it to its own
	// attr/exec below Proc, which is the descriptor of a proc(5) file system that the caller trusts. If Proc is 0 it uses "/proc".
	// In a container that directory belongs to the image, and a mount there can redirect the write (CVE-2025-52881).
	Label           string
	AppArmorProfile string
	Proc            int

	Setsid  bool // setsid(2)
	Setpgid bool // setpgid(2), with Pgid; 0 makes a new group. Not with Setsid
	Pgid    int
	Setctty bool // Ctty becomes the controlling terminal of the session
	Ctty    int

	// The working directory, as a path or, if DirFD is not 0, as a descriptor. The process enters it with the privileges that it
	// has at this point. After a change of user it enters "." again. The new user therefore must have access to the directory
	// itself, but not to its parents.
	Dir   string
	DirFD int

	OOMScoreAdj *int // oom_score_adj of proc(5), -1000 to 1000

	// No step after this one opens a file, so RLIMIT_NOFILE can be as low as the descriptors of the program allow.
	Rlimits []Rlimit

	Nice        *int          // -20 to 19, setpriority(2)
	Scheduler   *Scheduler    // sched_setscheduler(2)
	Affinity    []int         // the processors, sched_setaffinity(2)
	IOPriority  *int          // ioprio_set(2)
	Umask       *uint32       // umask(2)
	TimerSlack  time.Duration // PR_SET_TIMERSLACK of prctl(2); 0: unchanged
	Personality *uint32       // personality(2)
	Keyring     *string       // KEYCTL_JOIN_SESSION_KEYRING of keyctl(2); "": one without a name

	// Ids and capabilities. The program gets these sets unless it is a set-id program. Securebits and the bounding set need
	// CAP_SETPCAP; groups need CAP_SETGID.
	Securebits   *uint32             // PR_SET_SECUREBITS of prctl(2)
	Bounding     *uint64             // the bounding set alone: all other capabilities are dropped. Not with Capabilities
	Groups       []uint32            // the supplementary groups, without Credential
	Credential   *syscall.Credential // real, effective, saved and filesystem id; and the groups, unless NoSetGroups
	Capabilities *Capabilities       // nil: they follow from the change of user

	Pdeathsig  syscall.Signal // PR_SET_PDEATHSIG of prctl(2). No signal is sent if the parent is already gone
	NoNewPrivs bool           // PR_SET_NO_NEW_PRIVS of prctl(2)
	Landlock   int            // a ruleset of landlock_create_ruleset(2), as a descriptor

	// Calls to make after all of the above. The fields below could get in their way.
	Last []Call

	// The program gets these descriptors, and 0 to 2 unless one of these replaces them. RLIMIT_NOFILE in Rlimits must be above the
	// new numbers. A cycle also uses the number above all others.
	Descriptors []Descriptor

	DefaultSignals []syscall.Signal // their action becomes SIG_DFL
	SignalMask     []syscall.Signal // the signal mask of the program

	// A seccomp(2) filter. Without NoNewPrivs it needs CAP_SYS_ADMIN. With Capabilities the process then keeps that capability until
	// the filter is in place, and the last call is capset(2). The filter must allow execve. For a failure to be reported, it must
	// also allow rt_sigprocmask, write and exit_group.
	Seccomp      []syscall.SockFilter
	SeccompFlags uint32 // SECCOMP_FILTER_FLAG_LOG and so on, but not NEW_LISTENER: nobody could receive it
}

// Capabilities are the five sets of a process, with one bit per capability. As in a bundle of OCI, a set that is left out is empty;
// a Bounding of all ones drops nothing and needs no privilege. Ambient is a part of Permitted and of Inheritable.
type Capabilities struct {
	Bounding, Effective, Inheritable, Permitted, Ambient uint64
}

// CapabilitySet returns the set of these capabilities, such as "CAP_CHOWN".
func CapabilitySet(names ...string) (set uint64, err error) {
next:
	for _, name := range names {
		for capability, known := range capabilityNames {
			if name == known {
				set |= 1 << capability
				continue next
			}
		}
		return 0, fmt.Errorf("dmz: %q is not a capability: %w", name, syscall.EINVAL)
	}
	return set, nil
}

// Rlimit is a limit, as for prlimit(2). Infinity is ^uint64(0).
type Rlimit struct {
	Resource   int // syscall.RLIMIT_NOFILE, or what the function Resource returns
	Soft, Hard uint64
}

// Resource returns the number of a resource such as "RLIMIT_NPROC", which package syscall lacks.
func Resource(name string) (int, error) {
	names := strings.Fields("CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME")
	if strings.HasPrefix(runtime.GOARCH, "mips") { // asm/resource.h
		copy(names[5:], strings.Fields("NOFILE AS RSS NPROC MEMLOCK"))
	}
	for resource, known := range names {
		if name == "RLIMIT_"+known {
			return resource, nil
		}
	}
	return 0, fmt.Errorf("dmz: %q is not a resource: %w", name, syscall.EINVAL)
}

// Scheduler is a policy of sched(7), SCHED_FIFO and so on, and the priority of a real-time policy.
type Scheduler struct{ Policy, Priority int }

// Descriptor From becomes descriptor To in the program. If the two are equal, only close-on-exec is cleared.
type Descriptor struct{ From, To int }

// Call is a system call of the caller's own, for changes without a field: namespaces, mounts, pivot_root(2), the hostname. Calls that
// exec, exit or fork are refused, because the reader could not tell the outcome; so is close_range(2) without
// CLOSE_RANGE_CLOEXEC, which would close the report.
type Call struct {
	Step   uint16  // for the report: StepCaller plus a number
	Number uintptr // syscall.SYS_MOUNT and so on
	Args   [6]Arg

	UseResult     bool // the first argument is the result of the previous call, which must not have IgnoreFailure
	IgnoreFailure bool
}

// Arg is an argument: Value or, if Data is not nil, a pointer to a copy of Data. Data must not contain pointers.
type Arg struct {
	Value uintptr
	Data  []byte
}

// String returns an argument that is a C string.
func String(s string) Arg {
	return Arg{Data: append([]byte(s), 0)}
}

// Stub makes a stub, like the function [Stub], that performs the setup before it execs the program. It serves any number of
// children. [Exec] takes it, and never falls back from it. To start an [exec.Cmd] with a setup, pass the Setup to [Start].
//
// The report's descriptor must be above those that the setup names, and above all numbers in Descriptors. Do not put secrets
// into a setup: while a process is the stub, root in a container can read the list through /proc/PID/exe.
//
// If the setup is not valid, the error says what is wrong; it holds an [*Error] with the step and EINVAL. A setup of more than 16
// MB gives E2BIG. Other errors are those of the function Stub.
func (s Setup) Stub() (*os.File, error) {
	fd, err := s.stub()
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "dmz"), nil
}

func (s *Setup) stub() (int, error) {
	stub, err := imageFor(runtime.GOARCH)
	if err != nil {
		return -1, err
	}
	image, err := s.compile(machineNamed(runtime.GOARCH), stub)
	if err != nil {
		return -1, err
	}
	return sealed(image)
}

// Inherit clears close-on-exec on the descriptors that the setup names. Call it in the process that execs the stub, directly before
// [Exec]; nothing else may start a process meanwhile. The stub sets it again. The error is that of fcntl(2): EBADF if one is not open.
func (s Setup) Inherit() error {
	for _, fd := range s.named() {
		if errno := setCloexec(fd, 0); errno != 0 {
			return os.NewSyscallError("fcntl", errno)
		}
	}
	return nil
}

// Named returns the descriptors that the setup uses.
func (s *Setup) named() (fds []int) {
	for _, fd := range []int{s.Proc, s.DirFD, s.Landlock} {
		if fd != 0 {
			fds = append(fds, fd)
		}
	}
	if s.Setctty {
		fds = append(fds, s.Ctty)
	}
	for _, d := range s.Descriptors {
		fds = append(fds, d.From)
	}
	return fds
}
