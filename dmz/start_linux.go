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

// Start starts cmd like cmd.Start, but through the stub where the program cannot tell the difference. It returns an [*Error]
// if the program could not be exec'd. Afterwards use cmd as usual: its fields are unchanged. On success cmd.Process is set;
// call cmd.Wait. After an error do not call cmd.Wait: the child is reaped, all goroutines have ended, cmd.Process is nil,
// and nothing was read from cmd.Stdin.
//
// If the child is killed before it becomes the program, by its context or by anything else, the verdict is Died. The verdict
// is Closed if the last name of the child is a number that both the stub and the program can have as their name. Start
// cannot notice the kill in two cases, and then returns nil: SIGCHLD is ignored or something else in this process reaps the
// child; or the child is exiting and /proc does not show it.
//
// The program sees neither the pipe nor the stub nor additional arguments. The route is direct where [Route] says so, for a command
// line that is too long with the stub's three arguments, and for Chroot, Ptrace, AmbientCaps, a user namespace or a change of ids
// without root.
//
// A failure before the exec, of the fork or of a step that cmd.Dir or cmd.SysProcAttr asks for, has the step StepProcess. Go
// reports the same errno for that and for a failed exec. To tell them apart, Start repeats the steps in a second child, which does
// not exec.
//
// An error that cmd.Start finds before it starts a process is returned unchanged, not as an [*Error]. Examples are a program that is
// missing from PATH, or, without cmd.SysProcAttr, a cmd.Dir that does not exist ("chdir /nodir: no such file or directory").
func Start(cmd *exec.Cmd) error {
	if cmd == nil {
		return errors.New("dmz: Start of a nil Cmd")
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
		return cmd.Start() // its error names the mistake
	}
	if cmd.Path == "" && cmd.Err == nil {
		cmd.Start() // which closes the pipes; its error, "no command", has no errno
		return failure("", ownMachine, StepExec, uint16(syscall.ENOENT))
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

const highest = 1<<31 - 1 // the longest number of a descriptor

func argName(i int) string {
	if i == 0 {
		return "the path"
	}
	return fmt.Sprintf("argument %d", i-1)
}

// IsNeutral: can the program not tell the difference? Everything that cmd asks for applies to the exec of the stub as well.
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

// Become changes the identity like setuid(2) of root: that clears the capability sets, unless a securebit keeps them
// (capabilities(7), "Effect of user ID changes on capabilities"). It returns false for other users, for whom the result is
// unknown.
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

// ExplainStart turns an error of os.StartProcess into an *Error. The step is that of the exec; the failure may be of an earlier one.
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
	return failure(cmd.Path, ownMachine, step, uint16(errno))
}

// ErrnoOfStart returns the errno of an error of os.StartProcess for a child that did not become a program.
func errnoOfStart(err error) (errno syscall.Errno, ok bool) {
	var pathError *os.PathError
	if errors.As(err, &pathError) && pathError.Op == "fork/exec" {
		errno, ok = pathError.Err.(syscall.Errno)
	}
	return errno, ok
}

// FailedInExec distinguishes a failed exec from a failure of the steps before it: the fork, and those that Dir and SysProcAttr ask for.
// Package syscall reports the same errno for all of them, so repeat the steps with an exec that fails with an errno of its own.
func failedInExec(cmd *exec.Cmd, errno syscall.Errno) bool {
	attr := &os.ProcAttr{Dir: cmd.Dir, Env: []string{}, Sys: cmd.SysProcAttr, Files: []*os.File{nil, nil, nil}}
	for i, stream := range []any{cmd.Stdin, cmd.Stdout, cmd.Stderr} {
		attr.Files[i], _ = stream.(*os.File) // for Setctty; a stream that is not a file is not a terminal
	}
	attr.Files = append(attr.Files, cmd.ExtraFiles...)
	switch {
	case attr.Dir == "" && attr.Sys == nil && !isOfFork(errno):
		return true
	case reachesExec(attr, errno):
		return true
	}
	// If a seccomp(2) filter refuses every exec, the set-up is not to blame.
	return !isOfFork(errno) && !reachesExec(&os.ProcAttr{Env: []string{}}, errno)
}

// IsOfFork: errors of pipe2(2), clone(2) and dup3(2) where resources are scarce.
func isOfFork(errno syscall.Errno) bool {
	switch errno {
	case syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.EBADF:
		return true
	}
	return false
}

// ReachesExec starts a process that fails in its exec, because execve(2) refuses its path before it checks anything else.
// That errno must differ from the one in question.
func reachesExec(attr *os.ProcAttr, other syscall.Errno) bool {
	path, want := strings.Repeat("/", pathMax), syscall.ENAMETOOLONG
	if other == want {
		path, want = "", syscall.ENOENT
	}
	process, err := os.StartProcess(path, []string{"dmz"}, attr)
	if err == nil { // the process was killed
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
	 * The child's descriptor i is our i-th file. On the way, package syscall makes copies at numbers above those of all files.
	 * Therefore the stub is above the numbers that the child will have, and one of the files is above the stub.
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

// Launch starts cmd. If wait returns an error, it kills and reaps the child.
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
		<-gate.entered // until then the copying goroutine may still read cmd.Stdin
		cmd.Stdin = stdin
	}
	err := wait(cmd.Process.Pid)
	if gate != nil {
		gate.open(err == nil)
	}
	if err == nil {
		return nil
	}
	// The child is exiting anyway. If not, the record was forged, and the kill makes it true. If something else has
	// reaped the child, the number may belong to another process by now.
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

// ReadWhileItLives reads the report. A process that was forked elsewhere may hold a copy of the write end for any length of time,
// so the end of the child also counts as end of file.
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
		// By now the pipe holds everything that the child wrote.
		r.SetReadDeadline(time.Now().Add(askAgain))
		if err := Read(r, 0, path); !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		return nil
	}
}

// Started returns an error if a child was, or may have been, killed before it became the program: by its context or by anything
// else. At end of file the child has exec'd the program or is exiting. Stub is its name while it is the stub, or "".
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

// MayNotHaveStarted is for a process that cannot be looked at: only its status shows whether it can have ended before the program.
func mayNotHaveStarted(status syscall.WaitStatus, stub string) bool {
	return status != StatusUnknown && isStubStatus(status) && (stub != "" || status.Signaled())
}

// A gate keeps the reader behind it unread until the program has started. If it does not start, nothing is read.
type gate struct {
	behind  io.Reader
	entered chan struct{}
	opened  chan bool
}

func newGate(behind io.Reader) *gate {
	return &gate{behind, make(chan struct{}), make(chan bool, 1)}
}

// Package exec copies only from a reader that is not a file.
func needsGate(stdin io.Reader) bool {
	_, isFile := stdin.(*os.File)
	return stdin != nil && !isFile
}

func (g *gate) open(started bool) {
	g.opened <- started
}

// WriteTo is called by io.Copy.
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
