// SPDX-License-Identifier: MIT

/*
Package dmz reports why an exec failed. It is meant for container runtimes and other programs written in Go.

A process that is about to become another program holds the write end of a pipe. If its execve(2) fails, the errno goes
into that pipe as one record of 16 bytes. If it succeeds, close-on-exec closes the pipe, and no trace of this remains
in the process. The reader learns which of the two happened:

	err := dmz.Read(r, 0, "/bin/app")
	fmt.Println(err)                          // exec /bin/app: exec format error
	errors.Is(err, syscall.ENOEXEC)           // true
	os.Exit(dmz.ExitCode(err, dmz.POSIX))     // 126

The module is not published yet. Point your go.mod to a local copy with two lines:

	require errpipe v0.0.0
	replace errpipe => ../errpipe

# Routes

The process can exec the program itself, or go through a stub: a static program of less than a page that execs the
program in its place. The caller's executable and memory are gone before the program's file is opened (CVE-2019-5736,
CVE-2024-21626). The package embeds the stubs of all architectures; [Stub] makes a sealed copy in memory.

A second exec has side effects: anything armed for "the next exec" takes effect on the stub. [Route] reports when that matters.

# A setup

A [Setup] describes the user, capabilities, limits, filters and so on of the program. The stub makes the system calls for it after its
own exec, when the process has one thread and none of the caller's memory. That is a hook between fork and exec, which Go
itself lacks. A change for "the next exec", such as a security label, acts on the program. A setup is never skipped: if a part of
it fails, the program does not run, and the error names the part.

	setup := dmz.Setup{
		Credential: &syscall.Credential{Uid: 65534, Gid: 65534},
		Rlimits:    []dmz.Rlimit{{Resource: syscall.RLIMIT_NOFILE, Soft: 64, Hard: 64}},
		NoNewPrivs: true,
	}
	stub, err := setup.Stub() // as Stub, for any number of children

# A runtime

The parent of a container's init calls [Stub] and [Pipe] and passes both to the init. If one of its own steps fails, the init
calls [Fail]. Otherwise it finally calls [Exec] instead of unix.Exec. The parent, or another process, calls [Read]. With a stub of
[Setup.Stub], the init leaves its last steps to the stub: the label, the limits, the user, the capabilities and the filter.

If you have an [exec.Cmd] and no init, call [Start] and [Wait] instead of Cmd.Start and Cmd.Wait. Go itself reports the errno of a
failed exec, if that exec is direct. Start adds the stub, words and exit codes, and tells a failed exec from a failed set-up. Wait
notices a process that was killed before its exec.

# Words

[Error] uses the words of this project's C library, which are the same on every architecture. They are those of
[syscall.Errno], with two exceptions. ESTALE is always "stale file handle", which Go calls "stale NFS file handle" on some
architectures. EHWPOISON, EINIT and EREMDEV have words, where Go has only their numbers.

The package is for Linux and does not need cgo. Functions may be called from several goroutines at once.
*/
package dmz
