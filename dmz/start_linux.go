// SPDX-License-Identifier: MIT

package dmz

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Start starts cmd as its method Start does, through the stub where that makes no difference to the program, and returns an
// [*Error] if the program could not be exec'd. Afterwards cmd is used as always: its fields are as they were, and on success
// cmd.Process is set and cmd.Wait is to be called. On an error there is nothing to wait for: the child is reaped, all
// goroutines have ended, cmd.Process is nil, and nothing was read from cmd.Stdin.
//
// A child that is killed before it is the program, by its context or by anything else, is an error with the verdict Died. The
// verdict is Closed if its last name, the number of a descriptor, can be that of the stub and that of the program. Two cases
// cannot be seen, and then Start returns nil: SIGCHLD is ignored or something else in this process reaps the child; or the child
// is exiting and /proc does not show it.
//
// The program sees neither pipe nor stub nor an argument more. The route is direct where [Route] says so, for a command line that is
// too long with the stub's three arguments, and for Chroot, Ptrace, AmbientCaps, a user namespace or a change of ids without root.
//
// A failure before the exec, of the fork or of what cmd.Dir and cmd.SysProcAttr ask for, has the step StepProcess. Go has one
// errno for that and for a failed exec. To tell them apart, Start has the same done again in a second child, which execs nothing.
//
// An error that cmd.Start finds before it starts a process is returned unchanged: a program that is not in PATH, for example.
func Start(cmd *exec.Cmd) error {
	if cmd == nil {
		return errors.New("dmz: Start of a Cmd that is nil")
	}
	for i, arg := range append([]string{cmd.Path}, cmd.Args...) {
		if hasNul(arg) {
			return fmt.Errorf("dmz: %s of %q holds a NUL byte: %w", argName(i), cmd.Path, syscall.EINVAL)
		}
	}
	if hasNul(cmd.Env...) {
		return fmt.Errorf("dmz: the environment of %q holds a NUL byte: %w", cmd.Path, syscall.EINVAL)
	}
	if cmd.Process != nil {
		return cmd.Start() // which says what is wrong
	}
	if cmd.Path == "" && cmd.Err == nil {
		cmd.Start() // which says only "no command", and closes its pipes
		return failure(StepExec, syscall.ENOENT, "")
	}
	if !isNeutral(cmd) {
		return startDirect(cmd)
	}
	if tooBig(descriptorPath(highest), stubArgs(highest, cmd.Path, cmd.Args), cmd.Environ()) {
		return startDirect(cmd)
	}
	stub, err := Stub()
	if err != nil {
		return startDirect(cmd)
	}
	defer stub.Close()
	r, w, err := Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	defer w.Close()
	return startThrough(cmd, stub, r, w)
}

const highest = 1<<31 - 1 // as long as a descriptor's number can be

func argName(i int) string {
	if i == 0 {
		return "the path"
	}
	return fmt.Sprintf("argument %d", i-1)
}

// Whether a process is started in any other way than it itself is decides about the exec of the stub, too.
func isNeutral(cmd *exec.Cmd) bool {
	identity, err := CurrentIdentity()
	if err != nil {
		return false
	}
	if attr := cmd.SysProcAttr; attr != nil {
		if attr.Chroot != "" || attr.Ptrace || len(attr.AmbientCaps) > 0 || (attr.Cloneflags|attr.Unshareflags)&syscall.CLONE_NEWUSER != 0 {
			return false
		}
		if attr.Credential != nil && !identity.become(attr.Credential) {
			return false
		}
	}
	path := cmd.Path
	if cmd.Dir != "" && path[0] != '/' {
		path = cmd.Dir + "/" + path // as the child sees it
	}
	return Route(&identity, path) == RouteStub
}

// Become somebody else, as setuid(2) by root does it: the sets are emptied with the ids, unless a bit says otherwise
// (capabilities(7), "Effect of user ID changes on capabilities"). Of others it is not known here.
func (i *Identity) become(credential *syscall.Credential) bool {
	const keepCaps, noSetuidFixup = 1 << 4, 1 << 2 // linux/securebits.h
	if i.UID != 0 || i.EUID != 0 || i.Securebits&(keepCaps|noSetuidFixup) != 0 {
		return false
	}
	i.MixedIDs = false
	i.UID, i.EUID = credential.Uid, credential.Uid
	if i.UID != 0 {
		i.Effective, i.Permitted, i.Ambient = 0, 0, 0
	}
	return true
}

func startDirect(cmd *exec.Cmd) error {
	path := cmd.Path
	return explainStart(cmd, StepExec, launch(cmd, func(pid int) error { return started(pid, path, "") }))
}

// ExplainStart makes an *Error of that of os.StartProcess, which is for an exec of the step or for what comes before it.
func explainStart(cmd *exec.Cmd, step uint16, err error) error {
	errno, ok := errnoOfStart(err)
	if !ok {
		return err
	}
	switch {
	case !failedInExec(cmd, errno):
		step = StepProcess
	case step == StepStub && targetFailsAlike(errno, cmd.Path, cmd.Args, cmd.Environ()):
		step = StepExec
	}
	return failure(step, errno, cmd.Path)
}

// ErrnoOfStart returns the errno of what os.StartProcess returns for a child that did not become a program.
func errnoOfStart(err error) (errno syscall.Errno, ok bool) {
	var pathError *os.PathError
	if errors.As(err, &pathError) && pathError.Op == "fork/exec" {
		errno, ok = pathError.Err.(syscall.Errno)
	}
	return errno, ok
}

// FailedInExec tells a failed exec from what comes before it: the fork, and what Dir and SysProcAttr ask for. Package syscall
// has one errno for all of them, so have it do the same again with an exec that fails in a way of its own.
func failedInExec(cmd *exec.Cmd, errno syscall.Errno) bool {
	attr := &os.ProcAttr{Dir: cmd.Dir, Env: []string{}, Sys: cmd.SysProcAttr, Files: []*os.File{nil, nil, nil}}
	for i, stream := range []any{cmd.Stdin, cmd.Stdout, cmd.Stderr} {
		attr.Files[i], _ = stream.(*os.File) // for Setctty; what is not a file is no terminal either
	}
	attr.Files = append(attr.Files, cmd.ExtraFiles...)
	switch {
	case attr.Dir == "" && attr.Sys == nil && !isOfFork(errno):
		return true
	case reachesExec(attr, errno):
		return true
	}
	// If no exec at all is allowed, by seccomp(2), the set-up is not to blame.
	return !isOfFork(errno) && !reachesExec(&os.ProcAttr{Env: []string{}}, errno)
}

// What pipe2(2), clone(2) and dup3(2) answer where resources are scarce.
func isOfFork(errno syscall.Errno) bool {
	switch errno {
	case syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.EBADF:
		return true
	}
	return false
}

// ReachesExec starts a process that fails in its exec: execve(2) refuses such a path before it looks at anything else. That
// errno must be another than the one in question.
func reachesExec(attr *os.ProcAttr, other syscall.Errno) bool {
	path, want := strings.Repeat("/", pathMax), syscall.ENAMETOOLONG
	if other == want {
		path, want = "", syscall.ENOENT
	}
	process, err := os.StartProcess(path, []string{"dmz"}, attr)
	if err == nil { // it was killed
		process.Wait()
		return false
	}
	errno, _ := errnoOfStart(err)
	return errno == want
}

func startThrough(cmd *exec.Cmd, stub, r, w *os.File) error {
	path, args, extra := cmd.Path, cmd.Args, cmd.ExtraFiles
	argv := args
	if len(argv) == 0 {
		argv = []string{path}
	}

	/*
	 * The child's descriptor i is our i-th file. On the way there package syscall puts copies on numbers above all of those
	 * files'. So the stub is beyond the numbers that the child is to have, and one of the files lies beyond the stub.
	 */
	number := 3 + len(extra)
	stubFD, err := dupAbove(int(stub.Fd()), number+1)
	if err != nil {
		return err
	}
	defer syscall.Close(stubFD)
	reportFD, err := dupAbove(int(w.Fd()), stubFD+1)
	if err != nil {
		return err
	}
	report := os.NewFile(uintptr(reportFD), "report")
	defer report.Close()

	cmd.Path = descriptorPath(stubFD)
	cmd.Args = stubArgs(number, path, argv)
	cmd.ExtraFiles = append(extra[:len(extra):len(extra)], report)
	err = launch(cmd, func(pid int) error {
		w.Close()
		report.Close()
		if err := readWhileItLives(r, pid, path); err != nil {
			return err
		}
		return started(pid, path, strconv.Itoa(stubFD))
	})
	cmd.Path, cmd.Args, cmd.ExtraFiles = path, args, extra
	return explainStart(cmd, StepStub, err)
}

// Launch starts cmd, and keeps it if wait returns nil.
func launch(cmd *exec.Cmd, wait func(pid int) error) error {
	stdin := cmd.Stdin
	var gate *gate
	if needsGate(stdin) {
		gate = newGate(stdin)
		cmd.Stdin = gate
	}
	if err := cmd.Start(); err != nil {
		cmd.Stdin = stdin
		return err
	}
	if gate != nil {
		<-gate.entered // until then the goroutine that copies may still look at cmd.Stdin
		cmd.Stdin = stdin
	}
	err := wait(cmd.Process.Pid)
	if gate != nil {
		gate.open(err == nil)
	}
	if err == nil {
		return nil
	}
	// It is leaving anyway; if not, the record was forged, and by this it becomes true. If somebody else has reaped it, the
	// number may be another process by now.
	var status syscall.WaitStatus
	if _, err := waitable(cmd.Process.Pid, syscall.WNOHANG, &status); err == nil {
		cmd.Process.Kill()
	}
	cmd.Wait()
	if e, ok := err.(*Error); ok && cmd.ProcessState != nil {
		e.Status = cmd.ProcessState.Sys().(syscall.WaitStatus)
	}
	cmd.Process, cmd.ProcessState = nil, nil
	return err
}

// Read the report. A process that somebody has forked elsewhere may have a copy of the write end, and keep it for as long as
// it likes. So the end of the child counts as end of file as well.
func readWhileItLives(r *os.File, pid int, path string) error {
	const askAgain = 20 * time.Millisecond
	for {
		r.SetReadDeadline(time.Now().Add(askAgain))
		err := Read(r, 0, path)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		var status syscall.WaitStatus
		if ended, err := waitable(pid, syscall.WNOHANG, &status); !ended && err == nil {
			continue
		}
		// What it has written is there by now.
		r.SetReadDeadline(time.Now().Add(askAgain))
		if err := Read(r, 0, path); !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		return nil
	}
}

// Started returns an error if a child was killed before it was the program, or if that may be: by its context, or by somebody
// else. A child without a report left has exec'd the program or is on its way out. Stub is its name while it is the stub, or "".
func started(pid int, path, stub string) error {
	e := look(pid, path, syscall.WNOHANG, stubNamed(stub, path))
	if e != nil && e.Status == StatusUnknown {
		if process, ok := readProcess(pid); ok && process.isExiting() {
			e = look(pid, path, 0, stubNamed(stub, path))
		}
	}
	if e == nil || e.Verdict == Closed && !mayNotHaveStarted(e.Status, stub) {
		return nil
	}
	return e
}

// Whether a process that cannot be looked at has ended as one can that is not the program yet.
func mayNotHaveStarted(status syscall.WaitStatus, stub string) bool {
	return status != StatusUnknown && stubEndsLike(status) && (stub != "" || status.Signaled())
}

// A gate is closed until it is known whether the program has started. If not, what is behind it stays unread.
type gate struct {
	behind  io.Reader
	entered chan struct{}
	opened  chan bool
}

func newGate(behind io.Reader) *gate {
	return &gate{behind, make(chan struct{}), make(chan bool, 1)}
}

// Of a file, or of nothing, package exec copies nothing.
func needsGate(stdin io.Reader) bool {
	_, isFile := stdin.(*os.File)
	return stdin != nil && !isFile
}

func (g *gate) open(started bool) {
	g.opened <- started
}

// WriteTo is what io.Copy calls.
func (g *gate) WriteTo(w io.Writer) (int64, error) {
	close(g.entered)
	if !<-g.opened {
		return 0, nil
	}
	return io.Copy(w, g.behind)
}

// Read is not called.
func (g *gate) Read([]byte) (int, error) {
	return 0, io.ErrUnexpectedEOF
}
