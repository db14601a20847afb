/* SPDX-License-Identifier: MIT */
/*
 * Does this 64-bit kernel run 32-bit programs of that kind? It can be built or booted without support, and only an
 * exec shows that. Therefore a child execs an ELF header of our own. The exec fails in any case: where such programs
 * run, the kernel cannot read the loader's name, which lies beyond the end of the file (load_elf_binary() in its
 * fs/binfmt_elf.c).
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "explain/facts/facts.h"

#ifndef MFD_CLOEXEC
#define MFD_CLOEXEC 0x0001U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif

/* On SPARC, the return value of clone(2) alone does not tell the child from its parent. */
#if defined(SYS_memfd_create) && defined(SYS_execveat) && defined(SYS_clone) && !defined(__sparc__)

struct program {
	Elf32_Ehdr header;
	Elf32_Phdr loader;
};

enum { BEHIND_ITS_END = 4096, SHORTEST_NAME = 2 };

static struct program program_for(const struct errpipe_link *link, uint32_t flags)
{
	return (struct program){
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, link->elf_data, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = link->machine,
			.e_version = EV_CURRENT,
			.e_phoff = sizeof(Elf32_Ehdr),
			.e_flags = flags,
			.e_ehsize = sizeof(Elf32_Ehdr),
			.e_phentsize = sizeof(Elf32_Phdr),
			.e_phnum = 1,
		},
		.loader = { .p_type = PT_INTERP, .p_offset = BEHIND_ITS_END, .p_filesz = SHORTEST_NAME },
	};
}

/* Linux before 6.3 neither knows nor needs MFD_EXEC. */
static int make_file(void)
{
	int fd = syscall(SYS_memfd_create, "errpipe", MFD_CLOEXEC | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_memfd_create, "errpipe", MFD_CLOEXEC);
	return fd < 0 ? -errno : ep_above_stderr(fd);
}

/* A hidden handler of binfmt_misc does not run it either: the descriptor is close-on-exec, so it gets ENOENT. */
static void exec_and_exit(int fd)
{
	char name[] = "errpipe", *argv[] = { name, NULL }, *envp[] = { NULL };

	syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
	syscall(SYS_exit_group, errno);
}

/*
 * The child raises no signal when it ends, so a caller that handles SIGCHLD or waits for any child does not notice it.
 * On s390 the arguments have another order, but all are 0.
 */
static pid_t start_child(int fd)
{
	pid_t pid = syscall(SYS_clone, 0, 0, 0, 0, 0);

	if (pid == 0)
		exec_and_exit(fd);
	return pid;
}

/* Returns the errno of the exec, or 0: not known. No handler of the caller may run in the child. */
static int try_exec(int fd)
{
	struct ep_signals old;
	bool blocked = ep_block_signals(&old) == 0;
	pid_t pid = blocked ? start_child(fd) : -1;
	int status = 0;

	if (pid < 0 || waitpid(pid, &status, __WALL) != pid || !WIFEXITED(status))
		status = 0;
	if (blocked)
		ep_restore_signals(&old);
	return WEXITSTATUS(status);
}

enum ep_answer ep_runs(const struct errpipe_link *link, uint32_t flags)
{
	const struct program program = program_for(link, flags);
	int fd = link->elf_class == ELFCLASS32 ? make_file() : -1, error;

	if (fd < 0)
		return EP_NOT_KNOWN;
	error = write(fd, &program, sizeof(program)) == sizeof(program) ? try_exec(fd) : 0;
	close(fd);
	if (error == ENOEXEC)
		return EP_NO;
	return error == EIO || error == ENOENT ? EP_YES : EP_NOT_KNOWN;
}

#else

enum ep_answer ep_runs(const struct errpipe_link *link, uint32_t flags)
{
	(void)link;
	(void)flags;
	return EP_NOT_KNOWN;
}

#endif
