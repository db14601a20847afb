// SPDX-License-Identifier: MIT

/*
Package dmz reports why an exec failed. It is meant for container runtimes and other programs written in Go.

A process that is about to become another program holds the write end of a pipe. If its execve(2) fails, the errno goes
into that pipe as one record of 16 bytes. If it succeeds, close-on-exec closes the pipe, and nothing of this is left in
the process. The read end shows which it was:

	err := dmz.Read(r, 0, "/bin/app")
	fmt.Println(err)                          // exec /bin/app: exec format error
	errors.Is(err, syscall.ENOEXEC)           // true
	os.Exit(dmz.ExitCode(err, dmz.POSIX))     // 126

The module is not published yet. Point your go.mod to a local copy with two lines:

	require errpipe v0.0.0
	replace errpipe => ../errpipe

# Routes

The process can exec the program itself, or go through a stub: a static program of less than a page that execs the
program in its place. By then the executable and the memory of the caller are gone, before the program's file is touched
(CVE-2019-5736, CVE-2024-21626). The package brings the stub along as bytes; [Stub] makes a sealed copy in memory.

A second exec is not neutral: what acts on "the next exec" is spent on the stub. [Route] knows when that matters.

# A runtime

The parent of an init calls [Stub] and [Pipe] and passes both to the init. The init calls [Fail] for a failed step of its own,
and in the end [Exec] instead of unix.Exec. The parent, or another process, calls [Read].

If you have an [exec.Cmd] and no init, call [Start] instead of Cmd.Start. Go reports the errno of a direct exec by itself.
Start adds the stub, words, exit codes, a verdict on a process that was killed before its exec, and a distinction between a
failed exec and a failed set-up. Its documentation names the two cases in which it cannot notice that a process was killed.

# Words

[Error] has the words of the C library of the same project, which are the same on every architecture. They are those of
[syscall.Errno], except that ESTALE is always "stale file handle", which Go calls "stale NFS file handle" on some
architectures; and that EHWPOISON, EINIT and EREMDEV have words, where Go has but their numbers.

The package is for Linux, and has no cgo. Functions may be called from several goroutines at once.
*/
package dmz
