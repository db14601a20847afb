// SPDX-License-Identifier: MIT

package dmz_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"errpipe/dmz"
)

// The init of a runtime: descriptor 3 is the stub, 4 is the report, and the arguments are the program to become.
func init() {
	if os.Args[0] != "my-init" {
		return
	}
	runtime.LockOSThread()
	syscall.CloseOnExec(3)
	if err := os.Chdir(os.Getenv("WORKDIR")); err != nil {
		dmz.Fail(4, dmz.StepCaller, errors.Unwrap(err).(syscall.Errno))
		os.Exit(125)
	}
	dmz.Exec(3, 4, 0, os.Args[1], os.Args[1:], os.Environ())
	os.Exit(125)
}

// StartInit starts the init above, and reads its report.
func startInit(workdir string, argv ...string) (*exec.Cmd, error) {
	stub, err := dmz.Stub()
	if err != nil {
		return nil, err
	}
	defer stub.Close()
	r, w, err := dmz.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: append([]string{"my-init"}, argv...), Stdout: os.Stdout}
	cmd.ExtraFiles = []*os.File{stub, w} // 3 and 4
	cmd.Env = append(os.Environ(), "WORKDIR="+workdir)
	err = cmd.Start()
	w.Close()
	if err != nil {
		return nil, err
	}
	return cmd, dmz.Read(r, 0, argv[0])
}

func ExampleExec() {
	cmd, err := startInit("/", "/bin/echo", "started")
	fmt.Println(err)
	cmd.Wait()

	cmd, err = startInit("/", "/etc/passwd")
	fmt.Println(err)
	fmt.Println(errors.Is(err, syscall.EACCES), dmz.ExitCode(err, dmz.POSIX))
	cmd.Wait()
	// Unordered output:
	// <nil>
	// started
	// exec /etc/passwd: permission denied
	// true 126
}

func ExampleFail() {
	cmd, err := startInit("/nonexistent", "/bin/true")
	fmt.Println(err)
	cmd.Wait()
	// Output: exec /bin/true: set-up step 0 failed (ENOENT)
}

func ExampleRead() {
	r, w, err := dmz.Pipe()
	if err != nil {
		panic(err)
	}
	w.Write([]byte("dmz\x01\x3e\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00")) // as a stub does
	w.Close()

	err = dmz.Read(r, 0, "/runc.arm64")
	fmt.Println(err)
	fmt.Println(errors.Is(err, syscall.ENOEXEC))
	fmt.Println(dmz.ExitCode(err, dmz.POSIX))
	// Output:
	// exec /runc.arm64: exec format error
	// true
	// 126
}

func ExamplePipe() {
	r, w, err := dmz.Pipe()
	if err != nil {
		panic(err)
	}
	// ... w goes to the child; and then
	w.Close()
	fmt.Println(dmz.Read(r, 0, "/bin/app")) // nobody has written anything: it started
	// Output: <nil>
}

func ExampleDecode() {
	e, err := dmz.Decode([]byte("dmz\x01\x08\x00\x00\x00\x5a\x00\x00\x00\x00\x00\x00\x00"), "/bin/app")
	fmt.Println(e, err)
	fmt.Println(e.Raw, "of machine", e.Machine, "is ELOOP here:", e.Errno == syscall.ELOOP)
	// Output:
	// exec /bin/app: too many levels of symbolic links <nil>
	// 90 of machine 8 is ELOOP here: true
}

func ExampleStub() {
	stub, err := dmz.Stub()
	if err != nil {
		panic(err)
	}
	defer stub.Close()
	info, err := stub.Stat()
	fmt.Println(info.Mode(), err)
	// Output: -r-x--x--x <nil>
}

func ExampleSettle() {
	cmd := exec.Command("/bin/sh", "-c", "kill -9 $$")
	if err := dmz.Start(cmd); err != nil {
		panic(err)
	}
	fmt.Println(dmz.Settle(cmd.Process.Pid, cmd.Path)) // it did start, before it was killed
	fmt.Println(dmz.ExitCode(cmd.Wait(), dmz.POSIX))
	// Output:
	// <nil>
	// 137
}

func ExampleExitCode() {
	err := dmz.Start(exec.Command("/nonexistent"))
	for _, policy := range []dmz.Policy{dmz.POSIX, dmz.Dockerd, dmz.Runc, dmz.Systemd} {
		fmt.Print(dmz.ExitCode(err, policy), " ")
	}
	// Output: 127 127 255 203
}

func ExampleStart() {
	cmd := exec.Command("/bin/cat")
	cmd.Stdin = strings.NewReader("as always\n")
	cmd.Stdout = os.Stdout
	if err := dmz.Start(cmd); err != nil {
		panic(err)
	}
	dmz.Wait(cmd)

	fmt.Println(dmz.Start(exec.Command("/etc/passwd")))
	// Output:
	// as always
	// exec /etc/passwd: permission denied
}

func ExampleWait() {
	cmd := exec.Command("/bin/sh", "-c", "kill -9 $$")
	if err := dmz.Start(cmd); err != nil {
		panic(err)
	}
	err := dmz.Wait(cmd)
	fmt.Println(err, dmz.ExitCode(err, dmz.POSIX)) // it did start, before it was killed
	// Output: signal: killed 137
}

func ExampleRoute() {
	user := dmz.Identity{UID: 1000, EUID: 1000}
	fmt.Println(dmz.Route(&user, "/bin/app"))
	fmt.Println(dmz.Route(&user, "/proc/self/exe"))

	user.Permitted = 1 << 10 // CAP_NET_BIND_SERVICE, which an exec takes away as it is not ambient
	user.Effective = user.Permitted
	fmt.Println(dmz.Route(&user, "/bin/app"))
	// Output:
	// the stub makes no difference to the target
	// the path would mean something else after the exec of the stub
	// the exec of the stub would change the credentials
}
