// SPDX-License-Identifier: MIT

package dmz

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// Start starts cmd like cmd.Start, but through the stub where the program cannot tell the difference. It returns an [*Error]
// if the program could not be exec'd. Afterwards use cmd as usual: its fields are unchanged. On success cmd.Process is set;
// call [Wait]. After an error call neither Wait nor cmd.Wait: the child is reaped, all goroutines have ended, cmd.Process is
// nil, and nothing was read from cmd.Stdin.
//
// Nil is provisional. It means that no failure was reported, and that the context of cmd has not killed the child before it
// became the program. Something else may have killed it: then Wait returns an error with the verdict Died. Cmd.Wait does not
// notice that, and returns the status of the child as that of the program.
//
// The program sees neither the pipe nor the stub nor additional arguments. The route is direct where [Route] says so, for a command
// line that is too long with the stub's three arguments, and for Chroot, Ptrace, AmbientCaps, a user namespace or a change of ids
// without root. It is also direct if this process cannot make a stub.
//
// All children share one stub, which the first Start makes and which stays open. If that stub cannot start any more, the next
// child gets a new one. The option [Through] gives a child a stub of its own, and [Direct] none.
//
// Start asks for the whole identity of its thread once, and again after a change of the ids, the securebits, no_new_privs or the
// capability sets.
//
// A [Setup] is an option: Start(cmd, dmz.Setup{NoNewPrivs: true}). The child performs it after what cmd.SysProcAttr asks for, which
// stays SysProcAttr's. It has a stub of its own unless [Through] names one that the same Setup has made. Start fails where the
// route would be direct, if the command line is too long, or if the stub cannot start. Descriptors of the setup are numbers in the
// child: cmd.ExtraFiles starts at 3.
//
// A failure before the exec, of the fork or of a step that cmd.Dir or cmd.SysProcAttr asks for, has the step StepProcess. Go
// reports the same errno for that and for a failed exec. To tell them apart, Start repeats the steps in a second child, which does
// not exec.
//
// An error that cmd.Start finds before it starts a process is returned unchanged, not as an [*Error]. Examples are a program that is
// missing from PATH, or, without cmd.SysProcAttr, a cmd.Dir that does not exist ("chdir /nodir: no such file or directory").
func Start(cmd *exec.Cmd, options ...Option) error {
	if err := checkStrings(cmd); err != nil {
		return err
	}
	if cmd.Process != nil {
		return cmd.Start() // its error names the mistake
	}
	if cmd.Path == "" && cmd.Err == nil {
		cmd.Start() // which closes the pipes; its error, "no command", has no errno
		return failure("", ownMachine, StepExec, uint16(syscall.ENOENT))
	}
	s := start{cmd: cmd, path: cmd.Path}
	for _, option := range options {
		option.choose(&s)
	}
	switch {
	case len(s.setups) > 0:
		return s.throughSetup()
	case s.route == direct:
		return s.directly()
	case s.route == through:
		return s.throughTheirs()
	case !isNeutral(cmd) || s.isTooLong():
		return s.directly()
	}
	return s.throughOurs()
}

// Wait waits for the end of a child that [Start] has started, like cmd.Wait, and makes the result of Start final. If the child
// ended before it became the program, Wait returns an [*Error] with the verdict Died and the status of the child; what was
// read from cmd.Stdin is lost. Otherwise it returns the error of cmd.Wait.
//
// Wait looks into /proc if the child ended like one that has not become the program: by a signal, or with the status 125, 126,
// 127 or 253. The verdict is Closed if /proc does not show the child, or if its last name is a number that both the stub and the
// program can have as their name. A program that takes the name of the stub's process on purpose counts as Died; it hurts only
// itself.
//
// If SIGCHLD is ignored, or if something else in this process reaps the child, Wait returns the error of cmd.Wait.
func Wait(cmd *exec.Cmd) error {
	var e *Error
	if cmd.Process != nil && cmd.ProcessState == nil {
		e = settleChild(cmd.Process.Pid, cmd.Path)
	}
	err := cmd.Wait()
	if e != nil {
		return e
	}
	return err
}

// An Option of [Start].
type Option interface{ choose(*start) }

type option func(*start)

func (o option) choose(s *start) { o(s) }

// Through makes [Start] use a stub of the caller's, as [Stub] makes it, even if the program could notice that. The start fails if
// this stub cannot start. Children that attack each other, such as containers, should not share a stub.
func Through(stub *os.File) Option {
	return option(func(s *start) { s.route, s.stub = through, stub })
}

// Direct makes [Start] do without a stub.
func Direct() Option {
	return option(func(s *start) { s.route = direct })
}

// Start is one call of Start.
type start struct {
	cmd    *exec.Cmd
	path   string // of the program
	args   []string
	route  route
	stub   *os.File // through
	setups []Setup  // at most one is right

	// Through a stub:
	name string // of the process while it is the stub
	r    int    // the report
	w    *os.File
}

type route int

const (
	automatic route = iota
	direct
	through
)

func checkStrings(cmd *exec.Cmd) error {
	if cmd == nil {
		return errors.New("dmz: Start of a nil Cmd")
	}
	if hasNul(cmd.Path) {
		return nulIn("the path", cmd)
	}
	for i, arg := range cmd.Args {
		if hasNul(arg) {
			return nulIn(fmt.Sprintf("argument %d", i), cmd)
		}
	}
	if hasNul(cmd.Env...) {
		return nulIn("the environment", cmd)
	}
	return nil
}

func nulIn(what string, cmd *exec.Cmd) error {
	return fmt.Errorf("dmz: %s of %q holds a NUL byte: %w", what, cmd.Path, syscall.EINVAL)
}

// ReportNumber is the descriptor of the report in the child, after all others.
func (s *start) reportNumber() int {
	return 3 + len(s.cmd.ExtraFiles)
}

// StubArgs makes the arguments of the stub once.
func (s *start) stubArgs() []string {
	if s.args == nil {
		s.args = stubArgs(s.reportNumber(), s.path, argvOf(s.cmd))
	}
	return s.args
}

func argvOf(cmd *exec.Cmd) []string {
	if len(cmd.Args) == 0 {
		return []string{cmd.Path}
	}
	return cmd.Args
}

// IsTooLong: would the stub's exec fail with E2BIG? Package exec drops variables that occur twice, which takes longer than
// everything else here. If the command line fits with all of them, the answer is known.
func (s *start) isTooLong() bool {
	longest := descriptorPath(highest)
	env := s.cmd.Env
	if env == nil {
		env = os.Environ()
		if s.cmd.Dir != "" {
			env = append(env, longestPWD)
		}
	}
	return tooBig(longest, s.stubArgs(), env) && tooBig(longest, s.stubArgs(), s.cmd.Environ())
}

const highest = 1<<31 - 1 // the longest number of a descriptor

// Package exec sets PWD to the absolute path of Dir.
var longestPWD = "PWD=" + strings.Repeat("/", pathMax)

// IsNeutral: can the program not tell the difference? Everything that cmd asks for applies to the exec of the stub as well.
func isNeutral(cmd *exec.Cmd) bool {
	attr := cmd.SysProcAttr
	if attr != nil && (attr.Chroot != "" || attr.Ptrace || len(attr.AmbientCaps) > 0 || (attr.Cloneflags|attr.Unshareflags)&syscall.CLONE_NEWUSER != 0) {
		return false
	}
	identity, err := identityForRoute()
	if err != nil {
		return false
	}
	if attr != nil && attr.Credential != nil && !identity.become(attr.Credential) {
		return false
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
	if pathError, isPath := err.(*os.PathError); isPath && pathError.Op == "fork/exec" {
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

func (s *start) directly() error {
	return explainStart(s.cmd, StepExec, s.launch())
}

// ThroughOurs falls back to the direct route if no stub can be made.
func (s *start) throughOurs() error {
	stub, err := borrowStub()
	if err != nil {
		return s.directly()
	}
	err = s.throughStub(stub.fd)
	e, failed := err.(*Error)
	stub.giveBack(failed && e.Step == StepStub)
	return err
}

func (s *start) throughTheirs() error {
	fd := int(s.stub.Fd()) // -1 if it is closed
	defer runtime.KeepAlive(s.stub)
	if fd < 0 {
		return s.giveUp(failure(s.path, ownMachine, StepStub, uint16(syscall.EBADF)))
	}
	if isStubOfSetup(fd) {
		return s.giveUp(s.refusal("its stub needs the setup as an option of Start"))
	}
	return s.throughStub(fd)
}

func (s *start) throughStub(stub int) error {
	cmd, args, extra := s.cmd, s.cmd.Args, s.cmd.ExtraFiles

	/*
	 * The child's descriptor i is our i-th file. On the way, package syscall makes copies at numbers above those of all files.
	 * Therefore the stub is above the numbers that the child will have, and one of the files is above the stub.
	 */
	if number := s.reportNumber(); stub <= number {
		above, err := dupAbove(stub, number+1)
		if err != nil {
			return s.giveUp(err)
		}
		defer syscall.Close(above)
		stub = above
	}
	r, w, err := pipeAbove(stub)
	if err != nil {
		return s.giveUp(err)
	}
	defer syscall.Close(r)
	defer w.Close()

	s.name, s.r, s.w = rememberName(stub), r, w
	cmd.Path, cmd.Args = descriptorPath(stub), s.stubArgs()
	cmd.ExtraFiles = append(extra[:len(extra):len(extra)], w)
	err = s.launch()
	cmd.Path, cmd.Args, cmd.ExtraFiles = s.path, args, extra
	return explainStart(cmd, StepStub, err)
}

// GiveUp closes the pipes of cmd, like a cmd.Start that fails.
func (s *start) giveUp(err error) error {
	s.cmd.Err = err
	s.cmd.Start()
	s.cmd.Err = nil
	return err
}

// PipeAbove makes the pipe for a report, with its write end above another descriptor. The write end blocks: no record may get lost.
func pipeAbove(fd int) (r int, w *os.File, err error) {
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC); err != nil {
		return -1, nil, os.NewSyscallError("pipe2", err)
	}
	if ends[1] <= fd {
		low := ends[1]
		ends[1], err = dupAbove(low, fd+1)
		syscall.Close(low)
		if err != nil {
			syscall.Close(ends[0])
			return -1, nil, err
		}
	}
	return ends[0], os.NewFile(uintptr(ends[1]), "report"), nil
}

// Launch starts cmd and waits for its report. After an error the child has been killed and reaped.
func (s *start) launch() error {
	cmd, stdin := s.cmd, s.cmd.Stdin
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
	err := s.outcome()
	if gate != nil {
		gate.open(err == nil)
	}
	if err == nil {
		return nil
	}
	// The child is exiting anyway. If not, the record was forged, and the kill makes it true. If something else has
	// reaped the child, the number may belong to another process by now.
	var status syscall.WaitStatus
	if ended, err := waitable(cmd.Process.Pid, syscall.WNOHANG, &status); !ended && err == nil {
		cmd.Process.Kill()
	}
	cmd.Wait()
	if e, ok := err.(*Error); ok && cmd.ProcessState != nil {
		e.Status = cmd.ProcessState.Sys().(syscall.WaitStatus)
	}
	cmd.Process, cmd.ProcessState = nil, nil
	return err
}

// Outcome returns an error if the child reported a failure, or if the context killed it before it became the program.
func (s *start) outcome() error {
	pid := s.cmd.Process.Pid
	if s.w != nil {
		s.w.Close()
		if err := awaitReport(s.r, pid, s.path); err != nil {
			return err
		}
	}
	if !mayBeDone(s.cmd) {
		return nil
	}
	return started(pid, s.path, s.name)
}

// AwaitReport reads the report once nobody holds the write end any more. A process that was forked elsewhere may hold a copy of it
// for any length of time, so it also reads the report once the child has ended.
func awaitReport(r, pid int, path string) error {
	const askAgain = 20 * time.Millisecond // without a pidfd
	pidfd := openPidfd(pid)
	timeout := time.Duration(-1)
	if pidfd < 0 {
		timeout = askAgain
	} else {
		defer syscall.Close(pidfd)
	}
	fds := [2]pollFD{{fd: int32(r)}, {fd: int32(pidfd), events: pollIn}}
	for {
		errno := poll(fds[:], timeout)
		if fds[0].revents != 0 || errno != 0 {
			break
		}
		if fds[1].revents == 0 && !hasEnded(pid) {
			continue
		}
		// By now the pipe holds everything that the child wrote.
		fds[0].events = pollIn
		if poll(fds[:1], 0); fds[0].revents == 0 {
			return nil
		}
		break
	}
	bytes := make([]byte, recordSize+1) // one more, to notice a second record after the first
	n, err := readFD(r, bytes)
	if err != nil || n == 0 {
		return err
	}
	e, err := Decode(bytes[:n], path)
	if err != nil {
		return err
	}
	return e
}

// If it cannot be waited for, something else has reaped it.
func hasEnded(pid int) bool {
	var status syscall.WaitStatus
	ended, err := waitable(pid, syscall.WNOHANG, &status)
	return ended || err != nil
}

// Started returns an error if a child was, or may have been, killed before it became the program. At end of file the child has
// exec'd the program or is exiting. Stub is its name while it is the stub, or "".
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

// MayBeDone: may the context of cmd be done, so that package exec kills the child? That package does not export the context. If it
// keeps it elsewhere one day, the answer is yes.
func mayBeDone(cmd *exec.Cmd) bool {
	if !contextField.known {
		return true
	}
	ctx := *(*context.Context)(unsafe.Add(unsafe.Pointer(cmd), contextField.offset))
	return ctx != nil && ctx.Err() != nil
}

var contextField = func() (field struct {
	offset uintptr
	known  bool
}) {
	ctx, ok := reflect.TypeOf(exec.Cmd{}).FieldByName("ctx")
	if ok && ctx.Type == reflect.TypeOf((*context.Context)(nil)).Elem() {
		field.offset, field.known = ctx.Offset, true
	}
	return field
}()

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
