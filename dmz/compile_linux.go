// SPDX-License-Identifier: MIT

package dmz

import (
	"math"
	"strconv"
	"syscall"
)

// This is the compiler of errpipe/lib/setup.c, which has the reasons for the order. The two make the same image.

type compiler struct {
	*image
	*Setup
}

// From headers below linux/ and asm-generic/.
const (
	capabilityVersion3 = 0x20080522
	capSysAdmin        = 21
	securebitKeepCaps  = 1 << 4

	prSetPdeathsig    = 1
	prSetKeepcaps     = 8
	prCapbsetDrop     = 24
	prSetSecurebits   = 28
	prSetTimerslack   = 29
	prSetNoNewPrivs   = 38
	prCapAmbientRaise = 2
	prCapAmbientClear = 4

	keyctlJoinSessionKeyring = 1
	ioprioWhoProcess         = 1
	closeRangeCloexec        = 4
	seccompSetModeFilter     = 1
	seccompNewListener       = 1 << 3
)

const (
	groupsMax  = 65536   // NGROUPS_MAX in linux/limits.h
	filterMax  = 4096    // BPF_MAXINSNS in linux/bpf_common.h
	resources  = 16      // RLIM_NLIMITS in asm-generic/resource.h
	processors = 1 << 15 // more than any kernel allows
	movesMax   = 256
	lengthMax  = 4096 // of the other lists
	labelMax   = 4096 // attr/exec accepts at most one page
)

// Compile returns the image of a stub for a machine.
func (s *Setup) compile(m *machine, stub []byte) ([]byte, error) {
	c := &compiler{newImage(m, stub), s}
	c.calls(s.First)
	c.label()
	c.session()
	c.directory()
	c.oomScore()
	c.limits()
	c.scheduling()
	c.restOfProcess()
	c.credentials()
	c.calls(s.Last)
	c.descriptors()
	c.signals()
	c.filter()
	return c.finish()
}

func (c *compiler) call(step uint16, number call, args ...int64) {
	c.add(step, 0, uint32(c.number(number)), args...)
}

// Use makes a call whose first argument is the result of the previous one.
func (c *compiler) use(step uint16, number call, args ...int64) {
	c.add(step, useResult, uint32(c.number(number)), append([]int64{0}, args...)...)
}

func (c *compiler) invalid(step uint16, format string, args ...any) {
	c.refuse(step, syscall.EINVAL, format, args...)
}

// InRange refuses a number that is not in the range.
func (c *compiler) inRange(step uint16, name string, n, least, most int) {
	if n < least || n > most {
		c.invalid(step, "%s %d is not from %d to %d", name, n, least, most)
	}
}

func (c *compiler) text(step uint16, name, text string) int64 {
	if hasNul(text) {
		c.invalid(step, "%s holds a NUL byte", name)
	}
	return c.copyText(text)
}

// From here on nobody may reach the descriptor through /proc/self/fd (CVE-2024-21626). Standard streams stay open.
func (c *compiler) release(step uint16, fd int) {
	if fd > 2 {
		c.call(step, sysFcntl, int64(fd), syscall.F_SETFD, syscall.FD_CLOEXEC)
	}
}

// --- calls of the caller's own

// The reader would take an exit or an exec of the process for one of the program.
func (c *compiler) isAllowed(raw *Call) bool {
	for _, refused := range []call{sysExecve, sysExecveat, sysExit, sysExitGroup, sysClone, sysClone3, sysFork, sysVfork} {
		if number := c.number(refused); number != 0 && raw.Number == uintptr(number) {
			return false
		}
	}
	return raw.Number != uintptr(c.number(sysCloseRange)) || raw.Args[2].Value&closeRangeCloexec != 0
}

func (c *compiler) calls(calls []Call) {
	hasResult := false
	if len(calls) > lengthMax {
		c.invalid(StepStub, "%d calls are more than %d", len(calls), lengthMax)
		return
	}
	for i := range calls {
		raw := &calls[i]
		switch {
		case raw.Step < StepCaller || raw.Step > stepCallerLast:
			c.invalid(StepStub, "step %#x of a call is not from %#x to %#x", raw.Step, StepCaller, stepCallerLast)
		case !c.isAllowed(raw):
			c.invalid(raw.Step, "call %d is not allowed", raw.Number)
		case raw.UseResult && !hasResult:
			c.invalid(raw.Step, "call %d has no result to use", raw.Number)
		}
		c.rawCall(raw)
		hasResult = !raw.IgnoreFailure
	}
}

func (c *compiler) rawCall(raw *Call) {
	var args [6]int64
	for i, arg := range raw.Args {
		args[i] = int64(arg.Value)
		if arg.Data != nil {
			args[i] = c.copy(arg.Data)
		}
	}
	flags := uint16(0)
	if raw.UseResult {
		flags |= useResult
	}
	if raw.IgnoreFailure {
		flags |= ignoreFailure
	}
	c.add(raw.Step, flags, uint32(raw.Number), args[:]...)
}

// --- in the order of Setup

// OpenOwn opens a file of the process itself. The next call uses the descriptor, and the exec closes it.
func (c *compiler) openOwn(step uint16, belowProc string) {
	directory, path := int64(c.Proc), belowProc
	if c.Proc == 0 {
		directory, path = int64(atFdcwd), "/proc/"+belowProc
	}
	c.call(step, sysOpenat, directory, c.copyText(path), syscall.O_WRONLY|syscall.O_CLOEXEC)
}

func (c *compiler) label() {
	label, file, text := c.Label, "self/attr/exec", c.Label+"\x00"
	if c.AppArmorProfile != "" {
		label, file, text = c.AppArmorProfile, "self/attr/apparmor/exec", "exec "+c.AppArmorProfile
	}
	if label == "" {
		return
	}
	if c.Label != "" && c.AppArmorProfile != "" {
		c.invalid(StepLabel, "there are both Label and AppArmorProfile")
	}
	if hasNul(label) || len(label) > labelMax-len("exec \x00") {
		c.invalid(StepLabel, "the label is too long or holds a NUL byte")
	}
	c.openOwn(StepLabel, file)
	c.use(StepLabel, sysWrite, c.copy([]byte(text)), int64(len(text)))
}

func (c *compiler) session() {
	if c.Setsid && c.Setpgid {
		c.invalid(StepProcessGroup, "there are both Setsid and Setpgid") // setpgid(2) refuses the leader of a session
	}
	if c.Setsid {
		c.call(StepSession, sysSetsid)
	}
	if c.Setpgid {
		c.call(StepProcessGroup, sysSetpgid, 0, int64(c.Pgid))
	}
	if c.Setctty {
		c.call(StepTerminal, sysIoctl, int64(c.Ctty), int64(c.tiocsctty), 0)
		c.release(StepTerminal, c.Ctty)
	}
}

func (c *compiler) directory() {
	switch {
	case c.DirFD != 0 && c.Dir != "":
		c.invalid(StepDirectory, "there are both Dir and DirFD")
	case c.DirFD != 0:
		c.call(StepDirectory, sysFchdir, int64(c.DirFD))
		c.release(StepDirectory, c.DirFD)
	case c.Dir != "":
		c.call(StepDirectory, sysChdir, c.text(StepDirectory, "Dir", c.Dir))
	}
}

func (c *compiler) oomScore() {
	if c.OOMScoreAdj == nil {
		return
	}
	c.inRange(StepOomScore, "OOMScoreAdj", *c.OOMScoreAdj, -1000, 1000)
	text := strconv.Itoa(*c.OOMScoreAdj)
	c.openOwn(StepOomScore, "self/oom_score_adj")
	c.use(StepOomScore, sysWrite, c.copyText(text), int64(len(text)))
}

func (c *compiler) limits() {
	if len(c.Rlimits) > lengthMax {
		c.invalid(StepLimit, "%d limits are more than %d", len(c.Rlimits), lengthMax)
		return
	}
	for _, limit := range c.Rlimits {
		c.inRange(StepLimit, "resource", limit.Resource, 0, resources-1)
		if limit.Soft > limit.Hard {
			c.invalid(StepLimit, "the soft limit %d is above the hard one, %d", limit.Soft, limit.Hard)
		}
		both := c.append64(c.append64(nil, limit.Soft), limit.Hard)
		c.call(StepLimit, sysPrlimit64, 0, int64(limit.Resource), c.copy(both), 0)
	}
}

func (c *compiler) scheduling() {
	if c.Nice != nil {
		c.inRange(StepNice, "Nice", *c.Nice, -20, 19)
		c.call(StepNice, sysSetpriority, syscall.PRIO_PROCESS, 0, int64(*c.Nice))
	}
	if s := c.Scheduler; s != nil {
		c.call(StepScheduler, sysSchedSetscheduler, 0, int64(s.Policy), c.copy(c.append32(nil, uint32(s.Priority))))
	}
	if c.Affinity != nil {
		mask := c.processors()
		c.call(StepAffinity, sysSchedSetaffinity, 0, int64(len(mask)), c.copy(mask))
	}
	if c.IOPriority != nil {
		c.call(StepIoPriority, sysIoprioSet, ioprioWhoProcess, 0, int64(*c.IOPriority))
	}
}

// Processors returns the mask, as longs.
func (c *compiler) processors() (mask []byte) {
	if len(c.Affinity) == 0 {
		c.invalid(StepAffinity, "Affinity has no processors")
	}
	most := 0
	for _, processor := range c.Affinity {
		c.inRange(StepAffinity, "processor", processor, 0, processors-1)
		if processor > most {
			most = processor
		}
	}
	if c.refused != nil {
		return nil
	}
	set := newBits(most+1, c.machine)
	for _, processor := range c.Affinity {
		set.add(processor)
	}
	return set.bytes()
}

// Bits are an array of longs.
type bits struct {
	*machine
	longs []uint64
}

func newBits(count int, m *machine) *bits {
	perLong := 8 * m.word
	return &bits{m, make([]uint64, (count+perLong-1)/perLong)}
}

func (b *bits) add(bit int) {
	b.longs[bit/(8*b.word)] |= 1 << (bit % (8 * b.word))
}

func (b *bits) has(bit int) bool {
	return b.longs[bit/(8*b.word)]>>(bit%(8*b.word))&1 != 0
}

func (b *bits) bytes() (bytes []byte) {
	for _, long := range b.longs {
		bytes = b.appendLong(bytes, int64(long))
	}
	return bytes
}

func (c *compiler) restOfProcess() {
	if c.Umask != nil {
		c.inRange(StepUmask, "Umask", int(*c.Umask), 0, 0o777)
		c.call(StepUmask, sysUmask, int64(*c.Umask))
	}
	if slack := int64(c.TimerSlack); slack < 0 || c.word == 4 && slack > math.MaxUint32 {
		c.invalid(StepTimerSlack, "TimerSlack %v is out of range", c.TimerSlack)
	}
	if c.TimerSlack != 0 {
		c.call(StepTimerSlack, sysPrctl, prSetTimerslack, int64(c.TimerSlack))
	}
	if c.Personality != nil {
		c.call(StepPersonality, sysPersonality, int64(*c.Personality))
	}
	if c.Keyring != nil {
		name := int64(0)
		if *c.Keyring != "" {
			name = c.text(StepKeyring, "Keyring", *c.Keyring)
		}
		c.call(StepKeyring, sysKeyctl, keyctlJoinSessionKeyring, name)
	}
}

// --- credentials

// Without no_new_privs, installing a filter needs CAP_SYS_ADMIN.
func (c *compiler) filterNeedsAdmin() bool {
	return c.Seccomp != nil && !c.NoNewPrivs
}

func (c *compiler) capset(more uint64) {
	header := c.append32(c.append32(nil, capabilityVersion3), 0)
	effective, permitted, inheritable := c.Capabilities.Effective|more, c.Capabilities.Permitted|more, c.Capabilities.Inheritable
	var data []byte
	for _, shift := range []int{0, 32} {
		for _, set := range []uint64{effective, permitted, inheritable} {
			data = c.append32(data, uint32(set>>shift))
		}
	}
	address := c.copy(header)
	c.call(StepCapabilities, sysCapset, address, c.copy(data))
}

// LastCapability asks the kernel. A filter may refuse the question, which must not end the list early.
func lastCapability() (last int) {
	for last < 63 {
		if _, errno := prctl(prCapbsetRead, uintptr(last+1), 0); errno == syscall.EINVAL {
			break
		}
		last++
	}
	return last
}

// A new user namespace has a full bounding set, whatever this process has. Therefore drop every other capability.
func (c *compiler) bounding(set uint64) {
	for capability, last := 0, lastCapability(); capability <= last; capability++ {
		if set>>capability&1 == 0 {
			c.call(StepBounding, sysPrctl, prCapbsetDrop, int64(capability))
		}
	}
}

// Securebits and the bounding set need CAP_SETPCAP, which a change of user removes.
func (c *compiler) privileges() {
	keeps := c.Credential != nil && c.Capabilities != nil
	if c.Securebits != nil {
		securebits := *c.Securebits
		if keeps {
			securebits |= securebitKeepCaps
		}
		c.call(StepSecurebits, sysPrctl, prSetSecurebits, int64(securebits))
	}
	switch {
	case c.Bounding != nil && c.Capabilities != nil:
		c.invalid(StepBounding, "there are both Bounding and Capabilities")
	case c.Bounding != nil:
		c.bounding(*c.Bounding)
	case c.Capabilities != nil:
		c.bounding(c.Capabilities.Bounding)
	}
	// The exec clears it again.
	if keeps && c.Securebits == nil {
		c.call(StepCapabilities, sysPrctl, prSetKeepcaps, 1)
	}
}

func (c *compiler) ids() {
	const unchanged = math.MaxUint32 // would leave an id as it is
	groups, changes := c.Groups, c.Groups != nil
	if c.Credential != nil {
		if changes {
			c.invalid(StepGroups, "there are both Groups and Credential")
		}
		groups, changes = c.Credential.Groups, !c.Credential.NoSetGroups
	}
	if len(groups) > groupsMax {
		c.invalid(StepGroups, "%d groups are more than %d", len(groups), groupsMax)
	}
	if changes {
		var list []byte
		for _, group := range groups {
			list = c.append32(list, group)
		}
		c.call(StepGroups, sysSetgroups, int64(len(groups)), c.copy(list))
	}
	if c.Credential == nil {
		return
	}
	if c.Credential.Gid == unchanged {
		c.invalid(StepGroup, "%d is not a group", c.Credential.Gid)
	}
	if c.Credential.Uid == unchanged {
		c.invalid(StepUser, "%d is not a user", c.Credential.Uid)
	}
	uid, gid := int64(c.Credential.Uid), int64(c.Credential.Gid)
	c.call(StepGroup, sysSetresgid, gid, gid, gid)
	c.call(StepUser, sysSetresuid, uid, uid, uid)
}

func (c *compiler) ambient() {
	ambient := c.Capabilities.Ambient
	// The change of user, or capset(2), drops capabilities that are not in both sets. Raising one of those would fail.
	if ambient&^(c.Capabilities.Permitted&c.Capabilities.Inheritable) != 0 {
		c.invalid(StepAmbient, "an ambient capability is not in both Permitted and Inheritable")
	}
	c.call(StepAmbient, sysPrctl, prCapAmbient, prCapAmbientClear)
	for capability := 0; capability < 64; capability++ {
		if ambient>>capability&1 != 0 {
			c.call(StepAmbient, sysPrctl, prCapAmbient, prCapAmbientRaise, int64(capability))
		}
	}
}

func (c *compiler) capabilities() {
	if c.Capabilities == nil {
		return
	}
	more := uint64(0)
	if c.filterNeedsAdmin() {
		more = 1 << capSysAdmin
	}
	c.capset(more)
	c.ambient()
}

func (c *compiler) credentials() {
	if c.Capabilities != nil && c.Capabilities.Effective&^c.Capabilities.Permitted != 0 {
		c.invalid(StepCapabilities, "an effective capability is not in Permitted")
	}
	c.privileges()
	c.ids()
	c.capabilities()
	// Again, with the privileges of the new user.
	if (c.Dir != "" || c.DirFD != 0) && c.Credential != nil {
		c.call(StepDirectory, sysChdir, c.copyText("."))
	}
	c.inRange(StepDeathSignal, "Pdeathsig", int(c.Pdeathsig), 0, c.lastSignal())
	// A change of ids or capabilities clears it: commit_creds() in the kernel's kernel/cred.c.
	if c.Pdeathsig != 0 {
		c.call(StepDeathSignal, sysPrctl, prSetPdeathsig, int64(c.Pdeathsig))
	}
	if c.NoNewPrivs {
		c.call(StepNoNewPrivs, sysPrctl, prSetNoNewPrivs, 1)
	}
	if c.Landlock != 0 {
		c.call(StepLandlock, sysLandlockRestrictSelf, int64(c.Landlock), 0)
		c.release(StepLandlock, c.Landlock)
	}
	if c.Proc != 0 {
		c.release(StepDescriptors, c.Proc)
	}
}

// --- descriptors, signals, filter

// Ceiling returns the lowest number that no descriptor of the setup has before or after it.
func (s *Setup) ceiling() int {
	most := 2
	for _, d := range s.Descriptors {
		if d.From > most {
			most = d.From
		}
		if d.To > most {
			most = d.To
		}
	}
	return most + 1
}

func (c *compiler) checkDescriptors() {
	if len(c.Descriptors) > movesMax {
		c.invalid(StepDescriptors, "%d descriptors are more than %d", len(c.Descriptors), movesMax)
		return
	}
	seen := map[int]bool{}
	for _, d := range c.Descriptors {
		c.inRange(StepDescriptors, "descriptor", d.From, 0, math.MaxInt32)
		c.inRange(StepDescriptors, "descriptor", d.To, 0, math.MaxInt32-1)
		if seen[d.To] {
			c.invalid(StepDescriptors, "two descriptors become %d", d.To)
		}
		seen[d.To] = true
	}
}

// Dup3(2) needs a number below RLIMIT_NOFILE, which is set by now.
func (c *compiler) dup(from, to, flags int) {
	room := uint64(math.MaxUint64)
	for _, limit := range c.Rlimits {
		if limit.Resource == c.rlimitNofile {
			room = limit.Soft
		}
	}
	if uint64(to) >= room {
		c.invalid(StepDescriptors, "descriptor %d is not below RLIMIT_NOFILE", to)
	}
	c.call(StepDescriptors, sysDup3, int64(from), int64(to), int64(flags))
}

func (c *compiler) move(d Descriptor) {
	if d.From == d.To {
		c.call(StepDescriptors, sysFcntl, int64(d.To), syscall.F_SETFD, 0)
	} else {
		c.dup(d.From, d.To, 0)
	}
}

// IsNeeded: does another pending move still need the descriptor that move i overwrites?
func isNeeded(moves []Descriptor, i int) bool {
	for j, other := range moves {
		if j != i && other.From == moves[i].To && other.From != other.To {
			return true
		}
	}
	return false
}

// Moves makes each move once no other move needs the number that it overwrites. If all remaining moves wait for each other, it frees
// one of them by way of a number that no move uses.
func (c *compiler) moves() {
	moves := append([]Descriptor(nil), c.Descriptors...)
	for len(moves) > 0 {
		i := 0
		for i < len(moves) && isNeeded(moves, i) {
			i++
		}
		if i < len(moves) {
			c.move(moves[i])
			moves[i] = moves[len(moves)-1]
			moves = moves[:len(moves)-1]
			continue
		}
		spare := c.ceiling()
		c.dup(moves[0].From, spare, syscall.O_CLOEXEC)
		moves[0].From = spare
	}
}

func (c *compiler) descriptors() {
	if c.Descriptors == nil {
		return
	}
	c.checkDescriptors()
	if c.refused != nil {
		return
	}
	// Only mark them, because closing them would also close the report.
	c.call(StepDescriptors, sysCloseRange, 3, math.MaxUint32, closeRangeCloexec)
	c.moves()
}

// LastSignal is the highest signal in C, where NSIG is 65, or 128 on mips.
func (m *machine) lastSignal() int {
	if m.setSize > 8 {
		return 127
	}
	return 64
}

func (c *compiler) set(signals []syscall.Signal) *bits {
	set := newBits(8*c.setSize, c.machine)
	for _, signal := range signals {
		c.inRange(StepSignals, "signal", int(signal), 1, c.lastSignal())
		if c.refused == nil {
			set.add(int(signal) - 1)
		}
	}
	return set
}

func (c *compiler) signals() {
	size := int64(c.setSize)
	defaults := c.set(c.DefaultSignals)
	for signal := 1; signal <= c.lastSignal(); signal++ {
		if defaults.has(signal-1) && signal != int(syscall.SIGKILL) && signal != c.sigstop {
			byDefault := make([]byte, 16*c.word)
			c.call(StepSignals, sysRtSigaction, int64(signal), c.copy(byDefault), 0, size, size)
		}
	}
	if c.SignalMask != nil {
		mask := c.set(c.SignalMask).bytes()
		c.call(StepSignals, sysRtSigprocmask, int64(c.sigSetmask), c.copy(mask), 0, size)
	}
}

// The last step, because the filter may refuse the calls of other steps.
func (c *compiler) filter() {
	if c.Seccomp == nil {
		return
	}
	c.inRange(StepSeccomp, "the number of instructions,", len(c.Seccomp), 1, filterMax)
	if c.SeccompFlags&seccompNewListener != 0 {
		c.invalid(StepSeccomp, "SeccompFlags has NEW_LISTENER, and nobody could receive the listener")
	}
	if c.filterNeedsAdmin() && c.Credential != nil && c.Credential.Uid != 0 && c.Capabilities == nil {
		c.invalid(StepSeccomp, "the change of user removes CAP_SYS_ADMIN, which Seccomp needs: set NoNewPrivs or Capabilities")
	}
	var instructions []byte
	for _, instruction := range c.Seccomp {
		instructions = append(c.append16(instructions, instruction.Code), instruction.Jt, instruction.Jf)
		instructions = c.append32(instructions, instruction.K)
	}
	address := c.copy(instructions)
	program := c.append16(nil, uint16(len(c.Seccomp)))
	program = c.appendLong(append(program, make([]byte, c.word-len(program))...), address)
	c.call(StepSeccomp, sysSeccomp, seccompSetModeFilter, int64(c.SeccompFlags), c.copy(program))
	if c.filterNeedsAdmin() && c.Capabilities != nil {
		c.capset(0)
	}
}
