// SPDX-License-Identifier: MIT

package dmz

import (
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"unsafe"
)

// String returns the reason in words, for a log.
func (r Reason) String() string {
	if r < 0 || int(r) >= len(reasons) {
		return "unknown route"
	}
	return reasons[r]
}

// Identity is everything about a process that affects the choice of route. Capability sets have one bit per capability.
type Identity struct {
	UID, EUID  uint32 // as numbered in the process's user namespace
	MixedIDs   bool   // gid != egid, or a file system id differs from the effective one
	Securebits uint32 // prctl(2) PR_GET_SECUREBITS
	NoNewPrivs bool

	Effective, Permitted, Inheritable, Ambient, Bounding uint64

	Label bool // a label was written to /proc/thread-self/attr/exec
	// Something else is armed for the next exec, and the kernel does not show it: ptrace(2) PTRACE_TRACEME, prctl(2)
	// PR_SVE_SET_VL_ONEXEC, or personality(2) READ_IMPLIES_EXEC for a 32-bit program, which the exec of a 64-bit stub clears.
	OnExec bool
}

// CurrentIdentity returns the identity of the calling goroutine's thread. In Go all threads have the same one, unless one
// was locked and changed. If the child is going to change its identity before the exec, set the fields to their later
// values.
func CurrentIdentity() (Identity, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	identity, err := quickIdentity()
	if err != nil {
		return Identity{}, err
	}
	identity.Bounding = capabilities(allCapabilities, isBounding)
	// The ambient set is a subset of both, which usually have nothing in common.
	identity.Ambient = capabilities(identity.Permitted&identity.Inheritable, isAmbient)
	return identity, nil
}

// QuickIdentity asks for everything but the sets that take one system call for each capability.
func quickIdentity() (Identity, error) {
	header := struct {
		version uint32
		pid     int32
	}{version: 0x20080522} // linux/capability.h: _LINUX_CAPABILITY_VERSION_3
	var data [2]struct{ effective, permitted, inheritable uint32 }
	_, _, errno := syscall.RawSyscall(syscall.SYS_CAPGET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&data[0])), 0)
	if errno != 0 {
		return Identity{}, os.NewSyscallError("capget", errno)
	}
	both := func(low, high uint32) uint64 { return uint64(low) | uint64(high)<<32 }
	securebits, _ := prctl(prGetSecurebits, 0, 0)
	noNewPrivs, _ := prctl(prGetNoNewPrivs, 0, 0)
	identity := Identity{
		UID:         uint32(syscall.Getuid()),
		EUID:        uint32(syscall.Geteuid()),
		Securebits:  uint32(securebits),
		NoNewPrivs:  noNewPrivs == 1,
		Effective:   both(data[0].effective, data[1].effective),
		Permitted:   both(data[0].permitted, data[1].permitted),
		Inheritable: both(data[0].inheritable, data[1].inheritable),
		Label:       labelIsPending(),
	}
	identity.MixedIDs = mixedIDs(identity.EUID)
	return identity, nil
}

// The last identity that was asked for as a whole and that an exec does not change.
var asked struct {
	sync.Mutex
	Identity
}

/*
 * IdentityForRoute returns what Route needs of CurrentIdentity. It reads the bounding set only if something else differs from the last
 * time: no system call returns that set as a whole. If only the bounding set has changed, the program still ends up with the same sets
 * on both routes. But the stub may then find a program that the thread itself cannot open, or the other way round. Therefore those
 * members that matter for that are read each time.
 */
func identityForRoute() (Identity, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	identity, err := quickIdentity()
	if err != nil {
		return Identity{}, err
	}
	if !identity.isRoot() {
		identity.Ambient = capabilities(identity.Permitted&identity.Inheritable, isAmbient)
		return identity, nil
	}
	asked.Lock()
	defer asked.Unlock()
	known := asked.Identity
	known.Bounding = 0
	if known == identity && capabilities(execCapabilities, isBounding) == asked.Bounding&execCapabilities {
		return asked.Identity, nil
	}
	identity.Bounding = capabilities(allCapabilities, isBounding)
	if identity.execKeepsCredentials() {
		asked.Identity = identity
	}
	return identity, nil
}

const (
	allCapabilities = ^uint64(0)
	// CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_SYS_ADMIN and CAP_MAC_OVERRIDE, which the kernel asks for during an exec.
	execCapabilities = 1<<1 | 1<<2 | 1<<21 | 1<<32
)

// IsRoot: does an exec give this process the capabilities of root?
func (i *Identity) isRoot() bool {
	const noroot = 1 // linux/securebits.h: SECBIT_NOROOT
	return i.UID == 0 && i.Securebits&noroot == 0
}

func prctl(option, second, third uintptr) (uintptr, syscall.Errno) {
	ret, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, option, second, third, 0, 0, 0)
	return ret, errno
}

// Capabilities reads a set from prctl(2), one capability at a time, up to the first that the kernel does not know. It asks only
// about those in mask.
func capabilities(mask uint64, has func(c uintptr) (uintptr, syscall.Errno)) (set uint64) {
	for c := uintptr(0); c < 64; c++ {
		if mask>>c&1 == 0 {
			continue
		}
		yes, errno := has(c)
		if errno != 0 {
			break
		}
		set |= uint64(yes) << c
	}
	return set
}

func isBounding(c uintptr) (uintptr, syscall.Errno) { return prctl(prCapbsetRead, c, 0) }
func isAmbient(c uintptr) (uintptr, syscall.Errno)  { return prctl(prCapAmbient, prCapAmbientIsSet, c) }

// Given an invalid id, setfsuid(2) changes nothing and returns the current one.
func mixedIDs(euid uint32) bool {
	const nobody = ^uintptr(0)
	uid, _, _ := syscall.RawSyscall(numberOf(sysSetfsuid), nobody, 0, 0)
	gid, _, _ := syscall.RawSyscall(numberOf(sysSetfsgid), nobody, 0, 0)
	egid := syscall.Getegid()
	return syscall.Getgid() != egid || uint32(uid) != euid || uint32(gid) != uint32(egid)
}

// LabelIsPending: has SELinux or AppArmor a label for the next exec? An empty file or an error means no.
func labelIsPending() bool {
	if kernelHasNoLabels() {
		return false
	}
	for _, name := range []string{"/proc/thread-self/attr/exec", "/proc/thread-self/attr/apparmor/exec"} {
		fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		n, _ := syscall.Read(fd, make([]byte, 1))
		syscall.Close(fd)
		if n > 0 {
			return true
		}
	}
	return false
}

var noLabels struct {
	sync.Once
	bool
}

// KernelHasNoLabels: from Linux 6.8 on, EOPNOTSUPP means that no security module has such labels, which does not change.
func kernelHasNoLabels() bool {
	noLabels.Do(func() {
		const attrExec = 102 // linux/lsm.h: LSM_ATTR_EXEC
		var size uint32
		_, _, errno := syscall.RawSyscall6(numberOf(sysLsmGetSelfAttr), attrExec, 0, uintptr(unsafe.Pointer(&size)), 0, 0, 0)
		noLabels.bool = errno == syscall.EOPNOTSUPP
	})
	return noLabels.bool
}

// Route decides whether a process with that identity can exec path through the stub without the program noticing. It
// follows the same rules as errpipe_route of the C library:
//
// Credentials: they differ if the exec of a file without capabilities changes the capability sets (capabilities(7)). With mixed
// ids, the ids may differ as well.
//
// Path: names below /proc and /dev/fd, and links that lead there. The path and the interpreters of a script are looked up as
// the caller sees them. To find the interpreters, Route reads the first line of a regular file. A runtime that starts untrusted
// images passes a path of its own, such as "/", so that it keeps the stub: on the direct route a link to /proc/self/exe in an
// image would exec the runtime itself (CVE-2019-5736).
func Route(identity *Identity, path string) Reason {
	switch {
	case identity.OnExec:
		return RouteDirectOnExec
	case identity.Label:
		return RouteDirectLabel
	case !identity.execKeepsCredentials():
		return RouteDirectCredentials
	case changesWithExec(path):
		return RouteDirectPath
	}
	return RouteStub
}

// capabilities(7), "Transformation of capabilities during execve()", for a file that has none.
func (i *Identity) permittedAfterExec() uint64 {
	if !i.isRoot() {
		return i.Ambient
	}
	permitted := i.Inheritable | i.Bounding
	if i.NoNewPrivs {
		permitted &= i.Permitted
	}
	return permitted
}

func (i *Identity) execKeepsCredentials() bool {
	permitted := i.permittedAfterExec()
	return i.UID == i.EUID && !i.MixedIDs && i.Permitted == permitted && i.Effective == permitted
}

func namesADescriptor(path string) bool {
	return strings.HasPrefix(path, "/proc/") || strings.HasPrefix(path, "/dev/fd/")
}

// ChangesWithExec checks the path and the interpreters, which the kernel opens in the middle of the exec. One exec goes through
// five scripts at most.
func changesWithExec(path string) bool {
	const scriptsMax = 5
	for i := 0; path != "" && i <= scriptsMax; i++ {
		if isUnstableName(path) {
			return true
		}
		path = interpreter(path)
	}
	return false
}

// Interpreter finds the interpreter of a script like load_script() in the kernel's fs/binfmt_script.c, or returns "". It opens only
// regular files, because opening a FIFO or a device has side effects.
func interpreter(path string) string {
	const headSize = 256 // BINPRM_BUF_SIZE
	var st syscall.Stat_t
	if syscall.Stat(path, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return ""
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer syscall.Close(fd)
	head := make([]byte, headSize)
	n, _ := syscall.Read(fd, head)
	if n < 2 || string(head[:2]) != "#!" {
		return ""
	}
	name := strings.TrimLeft(string(head[2:n]), " \t")
	if end := strings.IndexAny(name, " \t\n\x00"); end >= 0 {
		name = name[:end]
	}
	return name
}

// A name for something that an exec changes: the executable itself, or a descriptor that is close-on-exec. The name alone decides
// as well: a descriptor may not be open yet, and Linux before 5.6 has no better test.
func isUnstableName(path string) bool {
	if namesADescriptor(path) {
		return true
	}
	if magic, known := isMagic(path); known {
		return magic
	}
	target, err := os.Readlink(path) // /dev/stdin, or a user's own link
	return err == nil && namesADescriptor(target)
}

// Does the path go through a magic link such as /proc/self/exe, however it is spelled?
func isMagic(path string) (magic, known bool) {
	const noMagiclinks = 2 // linux/openat2.h: RESOLVE_NO_MAGICLINKS
	how := struct{ flags, mode, resolve uint64 }{oPath | syscall.O_CLOEXEC, 0, noMagiclinks}
	p, err := syscall.BytePtrFromString(path)
	if err != nil {
		return false, false
	}
	fd, _, errno := syscall.Syscall6(numberOf(sysOpenat2), uintptr(atFdcwd), uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(&how)),
		unsafe.Sizeof(how), 0, 0)
	if errno == 0 {
		syscall.Close(int(fd))
	}
	return errno == syscall.ELOOP, errno == 0 || errno == syscall.ELOOP
}
