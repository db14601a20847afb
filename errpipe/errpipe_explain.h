/* SPDX-License-Identifier: MIT */
/*
 * errpipe_explain: why did, or would, an exec fail?
 *
 * INTRODUCTION
 *
 * execve(2) returns one number for many causes. ENOENT can mean a missing file, a missing interpreter, that
 * interpreter's missing loader, or a carriage return after "#!/bin/sh". errpipe_explain() walks the chain as the kernel
 * does, from the file to its interpreter and on to the loader. It names the broken link and the cause.
 *
 * It also follows the program after the exec, up to its own code: env(1) and its command, a shell and the simple command
 * that it gets with -c, and the libraries that the loader looks for. If the kernel would refuse a file, errpipe_explain()
 * looks for the mistake that a person made, such as a misspelt name or a web page in place of the program. It never runs
 * anything it inspects.
 *
 * SIMPLE USE
 *
 *	static struct errpipe_explanation explanation;
 *	struct errpipe_question question = { .path = path, .report = &report };
 *	char line[ERRPIPE_MESSAGE_MAX];
 *
 *	if (errpipe_explain(&explanation, &question) == 0 && explanation.cause != ERRPIPE_CAUSE_NONE) {
 *		errpipe_finding(line, sizeof(line), &explanation);
 *		fprintf(stderr, "%s\n", line);
 *		errpipe_advice(line, sizeof(line), &explanation);
 *		fprintf(stderr, "%s\n", line);
 *	}
 *
 * Call it after a failure, never instead of trying: its answer is a snapshot.
 *
 * HOSTILE IMAGES
 *
 * The root may be an untrusted image. Neither a symbolic link nor ".." can lead out of it. Only regular files are opened
 * for reading, and only a bounded part of each is read. FIFOs and devices are not opened. The work is bounded, whatever
 * the image contains.
 *
 * A file system that does not respond, such as a network file system, can block errpipe_explain(). If that can happen,
 * call it in a child process with the explanation in shared memory, and kill the child after a timeout. The member
 * looking_at then holds the path at which it was blocked. Some of these waits survive even SIGKILL, so the child should
 * close the pipes and locks that it has inherited.
 *
 * Not every 64-bit kernel runs 32-bit programs, and only an exec shows whether it does. For a 32-bit program,
 * errpipe_explain() therefore tries to exec a made-up 32-bit ELF header in a child. No kernel starts that header, but the
 * errno tells whether it could start others. The child raises no SIGCHLD, and a wait for any child does not return it.
 *
 * The functions print nothing and never call malloc(3). Thread-safe; not async-signal-safe.
 */
#ifndef ERRPIPE_EXPLAIN_H
#define ERRPIPE_EXPLAIN_H

#include "errpipe.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * THE QUESTION
 */

#define ERRPIPE_OWN_ROOT 0 /* the root of the caller. The descriptor of any other root must not be 0 */

/* In the question: a limit of the process that is 0. A limit that is not set has the value 0. */
#define ERRPIPE_LIMIT_0 (UINT64_MAX - 1)

/* A file system that will be mounted in the root before the exec but is not mounted yet. */
struct errpipe_mount {
	const char *at;	  /* a path in the root; symbolic links are followed. For "/" the answer is NOT_YET_MOUNTED */
	int source;	  /* the directory or file that will be mounted (O_PATH is enough); 0 or below: not known yet;
			   -ENOENT: it does not exist */
	const char *name; /* the source as the caller calls it: "/srv/app"; NULL: unknown */
	int noexec;	  /* nonzero: mounted noexec */
	int nosuid;	  /* nonzero: mounted nosuid */
	int empty;	  /* nonzero: a new, empty file system, such as tmpfs; source is not known yet */
	int masked;	  /* nonzero: not a mount but a masked path, as in a bundle's linux.maskedPaths. If it is a
			   directory, it becomes empty; a file becomes a device; one that is missing is left out */
	uint64_t reserved[2];
};

/* The process that execs. */
struct errpipe_who {
	uid_t uid; /* effective ids */
	gid_t gid;
	const gid_t *groups; /* supplementary groups */
	size_t groups_count;
	uint64_t effective, inheritable, bounding; /* capabilities, one bit each */
	int no_new_privs;
	int mapped; /* nonzero: inside the root these ids have other numbers, because of a user namespace */
	uint64_t reserved[4];
};

/* With only path set and the rest 0, the question is whether the caller could exec path now. */
struct errpipe_question {
	int root;	       /* a directory (O_PATH is enough), or ERRPIPE_OWN_ROOT */
	const char *root_name; /* the root as the caller calls it: "./rootfs"; NULL: unknown */
	const char *cwd;       /* the working directory in the root. NULL: the caller's own, or "/" in another root */
	const char *path;      /* as passed to execve(2), or to execvp(3) if search_path is set */

	const struct errpipe_report *report; /* the report of the attempt; NULL: not tried yet */
	const struct errpipe_who *who;	     /* the process that execs; NULL: the caller */

	/*
	 * The value of PATH: directories separated by colons. A path without a slash is looked up in them as execvp(3)
	 * does, and the first link is the file found there. NULL: path is taken as it is.
	 */
	const char *search_path;

	/*
	 * As passed to execve(2); NULL: unknown. env(1) and the loader read them as well. The functions here never read the
	 * environment of the caller.
	 */
	char *const *argv;
	char *const *envp;

	/* Limits of the process that execs, in bytes; limit_processes is a number of processes. 0: those of the caller. */
	uint64_t limit_stack, limit_address_space, limit_processes, limit_data;
	/* The number of files that it may have open, among them its standard input, output and error; 0: enough. */
	uint64_t limit_files;

	const struct errpipe_mount *mounts;
	size_t mounts_count;

	/*
	 * Nonzero: if path is missing in a root that is not the caller's, also look for it in the caller's root. A container
	 * may have been given a host path. The answer tells only whether the path exists there.
	 */
	int compare_own_root;

	uint64_t reserved[4];
};

/*
 * THE EXPLANATION
 */

/*
 * What is wrong. The comments say what subject, object, number and limit of the explanation hold.
 * errpipe-causes(7) has an example of each cause.
 */
enum errpipe_cause {
	ERRPIPE_CAUSE_NONE = 0, /* nothing: the exec would work, as far as can be seen */
	ERRPIPE_CAUSE_UNKNOWN,	/* it failed, and no cause was found */

	/* The path. */
	ERRPIPE_CAUSE_EMPTY_PATH,
	ERRPIPE_CAUSE_MISSING,		 /* a component of the path, subject, does not exist */
	ERRPIPE_CAUSE_DANGLING_LINK,	 /* the symbolic link subject points to object, which does not exist */
	ERRPIPE_CAUSE_DELETED_CWD,	 /* the working directory has been deleted */
	ERRPIPE_CAUSE_LINK_LOOP,	 /* more than 40 symbolic links, subject among them */
	ERRPIPE_CAUSE_NAME_TOO_LONG,	 /* a component has number bytes; its file system allows limit */
	ERRPIPE_CAUSE_PATH_TOO_LONG,	 /* the whole path has number bytes; the kernel allows limit */
	ERRPIPE_CAUSE_FILE_AS_DIRECTORY, /* subject is a file, but the path goes on or ends in a slash */
	ERRPIPE_CAUSE_UNSEARCHABLE, /* the directory subject lacks the x bit for denied; the symlink object leads there */
	ERRPIPE_CAUSE_LOOKUP_FAILED, /* the file system returns an error for subject; object is its name. Or see detail */
	ERRPIPE_CAUSE_NOT_YET_MOUNTED, /* it is on subject, which is mounted only when the container starts */
	ERRPIPE_CAUSE_MAGIC_LINK,      /* subject, such as /proc/self/exe, leads elsewhere in each process */

	/* The file. */
	ERRPIPE_CAUSE_NOT_A_FILE,     /* a directory, a FIFO ...; mode of the broken link shows which */
	ERRPIPE_CAUSE_NOT_EXECUTABLE, /* no x bit for denied */
	ERRPIPE_CAUSE_NOEXEC_MOUNT,   /* it is on a file system that is mounted noexec: subject is the mount point */
	ERRPIPE_CAUSE_TEXT_BUSY,      /* it is open for writing; see writers */
	ERRPIPE_CAUSE_UNREADABLE,     /* it may be executed but not read, so its format is unknown */
	ERRPIPE_CAUSE_READ_FAILED,    /* its file system failed to open or read it; object is the name of the error */
	ERRPIPE_CAUSE_SECURITY_MODULE, /* no fault, but refused; object: the active modules that give this errno, or NULL */

	/* Not a program, or of a format that the kernel does not know. */
	ERRPIPE_CAUSE_EMPTY_FILE,
	ERRPIPE_CAUSE_NO_INTERPRETER_LINE,   /* text that does not start with "#!" */
	ERRPIPE_CAUSE_BARE_INTERPRETER_LINE, /* nothing after "#!" */
	ERRPIPE_CAUSE_LONG_INTERPRETER_LINE, /* the name of the interpreter does not end within limit bytes */
	ERRPIPE_CAUSE_BYTE_ORDER_MARK,	     /* a byte order mark before "#!" */
	ERRPIPE_CAUSE_UTF_16,
	ERRPIPE_CAUSE_CARRIAGE_RETURN,	   /* in the first line of subject; detail is the result */
	ERRPIPE_CAUSE_INTERPRETER_MISSING, /* the interpreter of a script; subject is the missing part of its path */
	ERRPIPE_CAUSE_INTERPRETER_CUT,	   /* the kernel cuts object, from the first line of subject: detail */
	ERRPIPE_CAUSE_CHAIN_TOO_DEEP,	   /* interpreters of interpreters; the kernel follows limit of them */
	ERRPIPE_CAUSE_WINDOWS_PROGRAM,
	ERRPIPE_CAUSE_MACOS_PROGRAM, /* object: its machines, or NULL */
	ERRPIPE_CAUSE_JAVA_CLASS,
	ERRPIPE_CAUSE_WEBASSEMBLY,
	ERRPIPE_CAUSE_ARCHIVE,	      /* gzip, zip, tar ...; format of the broken link shows which */
	ERRPIPE_CAUSE_UNKNOWN_FORMAT, /* none of these formats */

	/* Text and data in place of a program. */
	ERRPIPE_CAUSE_NOT_A_PROGRAM,   /* content of the broken link shows what it is, or looks like */
	ERRPIPE_CAUSE_UNMARKED_SCRIPT, /* not for a shell, without "#!"; object is the command that runs it */
	ERRPIPE_CAUSE_DAMAGED_INTERPRETER_LINE, /* detail; number: its line or column; object: the corrected line, or NULL */
	ERRPIPE_CAUSE_RELATIVE_INTERPRETER, /* it is relative and missing; object is an absolute path that exists, or NULL */
	ERRPIPE_CAUSE_NUL_BYTES,	    /* it begins with number of them, as far as it was read; 0: only NULs */

	/* The command as it was typed. */
	ERRPIPE_CAUSE_NOT_IN_PATH, /* no directory of PATH, object, has it; detail: subject is wrong in PATH; see available */
	ERRPIPE_CAUSE_OUTSIDE_PATH,   /* no directory of PATH, object, has it, but subject exists */
	ERRPIPE_CAUSE_NEAR_MISS,      /* missing, but object exists, which is similar; detail is the difference */
	ERRPIPE_CAUSE_WHOLE_COMMAND,  /* the name is a program, object, and its arguments */
	ERRPIPE_CAUSE_LITERAL_QUOTES, /* the name contains quotes or brackets; object, without them, exists */
	ERRPIPE_CAUSE_NOT_EXPANDED,   /* the name contains a variable or ~; object: the expansion, if it exists */
	ERRPIPE_CAUSE_SHELL_BUILTIN,  /* or a keyword: detail */
	ERRPIPE_CAUSE_OPTION,	      /* the name begins with "-" */
	ERRPIPE_CAUSE_ASSIGNMENT,     /* the name is NAME=VALUE; object: the next argument, if it is a program */
	ERRPIPE_CAUSE_FOREIGN_PATH,   /* the name is not a Linux path: detail */
	ERRPIPE_CAUSE_HOST_PATH,      /* missing, but it exists in the caller's own root; see compare_own_root */

	/* ELF. */
	ERRPIPE_CAUSE_OTHER_ARCHITECTURE,
	ERRPIPE_CAUSE_OTHER_SYSTEM, /* built for object, such as FreeBSD */
	ERRPIPE_CAUSE_APPIMAGE,	    /* the same as OTHER_ARCHITECTURE, for an AppImage */
	ERRPIPE_CAUSE_HANDLER_DISABLED, /* its binfmt_misc handler is disabled; object is the file there that enables it */
	ERRPIPE_CAUSE_HANDLER_MISMATCH, /* handler fits, except for the limit bytes object at offset number; see detail */
	ERRPIPE_CAUSE_HANDLER_MISSING, /* the program of handler does not exist; detail: in another root */
	ERRPIPE_CAUSE_HANDLER_DYNAMIC, /* the handler's program is there, but its loader is not */
	ERRPIPE_CAUSE_HANDLER_HIDDEN, /* probably an invisible handler took it, and the handler's program is missing */
	ERRPIPE_CAUSE_WSL_INTEROP_LOST,	 /* a Windows program, and WSL's handler is gone from binfmt_misc */
	ERRPIPE_CAUSE_TAKEN_FOR_WINDOWS, /* text that begins with "MZ", which handler takes for a Windows program */
	ERRPIPE_CAUSE_NO_COMPATIBILITY, /* 32-bit or x32, and the kernel was built or booted without support for it */
	ERRPIPE_CAUSE_TRUNCATED_ELF,	/* it has number bytes; its headers require limit */
	ERRPIPE_CAUSE_OBJECT_FILE,	/* ET_REL: compiled but not linked */
	ERRPIPE_CAUSE_CORE_DUMP,	/* ET_CORE */
	ERRPIPE_CAUSE_BAD_ELF_TYPE,	/* number is the type: neither a program nor a library */
	ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS,  /* detail: their size, number or place */
	ERRPIPE_CAUSE_BAD_LOADER_NAME,	    /* detail: too short, too long or not NUL-terminated */
	ERRPIPE_CAUSE_SHARED_LIBRARY,	    /* no entry point: it starts and crashes */
	ERRPIPE_CAUSE_LOADER_MISSING,	    /* detail and object: the package or system that provides it */
	ERRPIPE_CAUSE_LOADER_OF_OTHER_LIBC, /* missing, but object, the loader of has_libc, exists */
	ERRPIPE_CAUSE_LOADER_OF_OTHER_ABI, /* missing, like all libraries of that architecture; object: the package */
	ERRPIPE_CAUSE_LOADER_INVALID,	   /* not ELF (format of the broken link), or damaged ELF (detail) */
	ERRPIPE_CAUSE_LOADER_OTHER_ARCHITECTURE,
	ERRPIPE_CAUSE_LOADER_TOO_SHORT,

	/* The kernel kills the process while it loads the file. Only the wait status shows that. */
	ERRPIPE_CAUSE_NO_LOAD_SEGMENT,
	ERRPIPE_CAUSE_SEGMENT_SIZE,	 /* segment number is larger in the file than in memory */
	ERRPIPE_CAUSE_SEGMENT_ALIGNMENT, /* address and file offset of segment number differ within a page */
	ERRPIPE_CAUSE_SEGMENT_OFFSET,	 /* segment number ends at an offset that no file can have */
	ERRPIPE_CAUSE_SEGMENT_OVERLAP,	 /* segment number overlaps another mapping */
	ERRPIPE_CAUSE_SEGMENT_ADDRESS,	 /* segment number is below vm.mmap_min_addr or above all addresses */
	ERRPIPE_CAUSE_DEBUG_FILE,	 /* it has the debug information of a program, but not its code */
	ERRPIPE_CAUSE_ENTRY_POINT,	 /* nothing is loaded at the entry point, object */
	ERRPIPE_CAUSE_ADDRESS_SPACE, /* it needs number bytes, RLIMIT_AS is limit; limit 0: more than the machine has */
	ERRPIPE_CAUSE_DATA_LIMIT,    /* with it the process has number bytes of data; RLIMIT_DATA is limit */

	/* The kernel starts it, but env(1) or a shell stops. subject is the script whose first line names env, or NULL. */
	ERRPIPE_CAUSE_COMMAND_MISSING,	/* the command is not in PATH; detail tells what object is */
	ERRPIPE_CAUSE_ENV_ONE_ARGUMENT, /* object is one argument, with a blank; detail: can this env split it? */
	ERRPIPE_CAUSE_ENV_REFUSES,	/* env refuses its arguments: detail and object */
	ERRPIPE_CAUSE_ENV_RUNS_SCRIPT,	/* env execs subject again; object, if any, needs -S */

	/* The kernel starts the interpreter of the script subject, but the interpreter refuses its one argument, object. */
	ERRPIPE_CAUSE_LINE_REFUSED, /* detail */
	ERRPIPE_CAUSE_LINE_CUT, /* the kernel passes limit bytes of the line, so env looks for a part of the name */

	/* The kernel starts the interpreter subject, which may not read its script. denied tells in which class. */
	ERRPIPE_CAUSE_SCRIPT_UNREADABLE,

	/* The kernel starts it, but its loader stops. needer is the program or library whose need is not met. */
	ERRPIPE_CAUSE_LIBRARY_MISSING, /* the library subject; see searched, available, object and detail */
	ERRPIPE_CAUSE_LIBRARY_OTHER_ARCHITECTURE, /* only subject has that name, and it is built for object */
	ERRPIPE_CAUSE_LIBRARY_INVALID,		  /* subject is not a library: detail, or subject_content */
	ERRPIPE_CAUSE_LIBRARY_UNREADABLE, /* the process may not read subject; object: a directory that it may not search */
	ERRPIPE_CAUSE_LIBRARY_NOEXEC_MOUNT,	/* subject is on the mount object, which is mounted noexec */
	ERRPIPE_CAUSE_LIBRARY_HIDDEN_BY_MOUNT,	/* the mount of object on subject hides available; see detail */
	ERRPIPE_CAUSE_LIBRARY_FOR_NEWER_KERNEL, /* by its ABI tag, subject is for Linux object or later */
	ERRPIPE_CAUSE_LIBRARY_OF_OTHER_LIBC, /* needer needs subject, of the C library needs_libc; the loader is has_libc's */
	ERRPIPE_CAUSE_VERSION_MISSING, /* the library subject lacks the symbol version object; see available and detail */
	ERRPIPE_CAUSE_SYMBOL_MISSING, /* no library has the function or variable subject; a long name is cut */
	ERRPIPE_CAUSE_CPU_LEVEL,      /* subject needs a processor of x86-64-v<number>; this one is x86-64-v<limit> */
	ERRPIPE_CAUSE_LIBRARY_LIMIT, /* the libraries take more of the limit object than limit: number bytes at least */
	ERRPIPE_CAUSE_SMALL_LIMIT,   /* it may have ended because limit, in bytes, is so small; object names it */
	ERRPIPE_CAUSE_OPEN_FILES, /* with limit files (RLIMIT_NOFILE), its loader cannot open the library subject; or detail */
	ERRPIPE_CAUSE_LOADER_STAND_IN, /* the loader only reports that it does not run such programs: detail */

	/* The bundle. */
	ERRPIPE_CAUSE_EMPTY_ROOT, /* it is missing because the root, object, has no files */
	ERRPIPE_CAUSE_NOT_A_ROOT, /* it is missing because the root, object, is something else: detail; the right one is subject */
	ERRPIPE_CAUSE_MOUNTED_DIRECTORY, /* the directory object is mounted over the program; see detail */
	ERRPIPE_CAUSE_HIDDEN_BY_MOUNT, /* the image has it, but the mount of object on subject hides it; see detail */
	ERRPIPE_CAUSE_MOUNT_SOURCE_MISSING, /* object, the source of the mount on subject, does not exist */
	ERRPIPE_CAUSE_MOUNT_MISMATCH,	/* a file, object, would be mounted on a directory, subject, or the reverse */
	ERRPIPE_CAUSE_CWD_UNSEARCHABLE, /* it starts, but the user may not search subject, on the way to process.cwd */
	ERRPIPE_CAUSE_BUNDLE_WITHOUT_PATH,  /* it must be searched for, but process.env has no PATH */
	ERRPIPE_CAUSE_BUNDLE_CAPABILITIES,  /* no process can have the capabilities object; see detail */
	ERRPIPE_CAUSE_BUNDLE_CWD,	    /* process.cwd is object, not an absolute path; NULL: it is missing */
	ERRPIPE_CAUSE_BUNDLE_RELATIVE_PATH, /* it is found by an entry of PATH that is not absolute */
	ERRPIPE_CAUSE_BUNDLE_VARIABLE,	    /* entry number of process.env, from 0, is refused by runc: detail */
	ERRPIPE_CAUSE_BUNDLE_OPEN_FILES,    /* RLIMIT_NOFILE is object, which is too low for any runtime */
	ERRPIPE_CAUSE_BUNDLE_LIMIT,	    /* a limit in process.rlimits cannot be set; see detail */
	ERRPIPE_CAUSE_BUNDLE_LABEL,   /* object is a profile or label that this machine does not have; see detail */
	ERRPIPE_CAUSE_BUNDLE_SECCOMP, /* the filter refuses the exec itself, with the errno object; see detail */

	/* The process. */
	ERRPIPE_CAUSE_ARGUMENT_TOO_LONG,   /* detail and object name a string of number bytes; limit is allowed */
	ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE, /* together they have number bytes (0: unknown); the kernel allows limit */
	ERRPIPE_CAUSE_PROCESS_LIMIT,	   /* the user has more processes than RLIMIT_NPROC, limit, allows */
	ERRPIPE_CAUSE_NO_PROCESS,	   /* fork(2) failed with EAGAIN; detail tells what has limit processes */
	ERRPIPE_CAUSE_FILE_CAPABILITIES,   /* object lists file capabilities missing from the bounding set */
	ERRPIPE_CAUSE_SET_ID_IGNORED,	   /* it starts, but its set-id bits are ignored: detail */
	ERRPIPE_CAUSE_SECCOMP,		   /* execve(2) returned 0 without executing anything */
	ERRPIPE_CAUSE_STUB_REFUSED,	   /* the stub could not start or run; the program, subject, was not tried */
	ERRPIPE_CAUSE_SETUP_FAILED,	   /* step number of a setup was refused; subject was not tried */
	ERRPIPE_CAUSE_STEP_FAILED,	   /* one of the caller's own steps failed; subject was not tried */
	ERRPIPE_CAUSE_NO_ANSWER,	   /* the file system of subject does not respond */
	ERRPIPE_CAUSE_CANNOT_LOOK /* the caller cannot inspect it; object is the error; for EMFILE, limit is RLIMIT_NOFILE */
};

/* The form of the cause. 0: the cause has only one form. The source's explain/facts.def has their names in JSON. */
enum errpipe_detail {
	ERRPIPE_DETAIL_NONE = 0,

	/* UNSEARCHABLE, NOT_EXECUTABLE: the reason why root is refused as well. */
	ERRPIPE_DETAIL_NO_DAC_OVERRIDE, /* root lacks CAP_DAC_OVERRIDE */
	ERRPIPE_DETAIL_UNMAPPED_OWNER,	/* owner or group is not mapped in this user namespace */

	/* LOOKUP_FAILED */
	ERRPIPE_DETAIL_PROTECTED_SYMLINKS, /* fs.protected_symlinks */
	ERRPIPE_DETAIL_NOSYMFOLLOW,	   /* the file system is mounted nosymfollow */
	ERRPIPE_DETAIL_LONG_TARGETS,	   /* errpipe gave up: the targets of the symbolic links are too long */
	ERRPIPE_DETAIL_DEEP_PLACE,	   /* errpipe gave up: directories are nested too deeply */
	ERRPIPE_DETAIL_MANY_STEPS,	   /* errpipe gave up after limit steps */

	/* UNREADABLE */
	ERRPIPE_DETAIL_OWN_USER, /* unreadable to the process, uid number, so it could not read a script either */

	/* TEXT_BUSY */
	ERRPIPE_DETAIL_WRITER_NOT_VISIBLE,
	ERRPIPE_DETAIL_NO_LONGER_BUSY,

	/* CARRIAGE_RETURN */
	ERRPIPE_DETAIL_KERNEL_LOOKS, /* it is in the name of the interpreter, the broken link */
	ERRPIPE_DETAIL_ENV_LOOKS,    /* in the name of the command of env(1), the broken link */
	ERRPIPE_DETAIL_OPTION,	     /* in object, an option of the broken link, which refuses it */

	/* INTERPRETER_CUT */
	ERRPIPE_DETAIL_BLANK,
	ERRPIPE_DETAIL_QUOTED,	    /* the quotes are part of the name */
	ERRPIPE_DETAIL_QUOTED_NAME, /* the same, and the name in them has no blank and exists */

	/* CHAIN_TOO_DEEP */
	ERRPIPE_DETAIL_NAMES_ITSELF, /* the script is its own interpreter */

	/* COMMAND_MISSING */
	ERRPIPE_DETAIL_PATH_LACKS_IT, /* object is PATH */
	ERRPIPE_DETAIL_NO_PATH,	      /* PATH is not set */

	/* COMMAND_MISSING, ENV_RUNS_SCRIPT */
	ERRPIPE_DETAIL_LATE_OPTION, /* an option of env(1) comes after NAME=VALUE */

	/* ENV_ONE_ARGUMENT */
	ERRPIPE_DETAIL_ENV_SPLITS,	  /* it has the option -S */
	ERRPIPE_DETAIL_ENV_SPLITS_RETURN, /* the same; object lacks the carriage return at its end */
	ERRPIPE_DETAIL_ENV_LACKS_SPLIT,	  /* it lacks -S */
	ERRPIPE_DETAIL_SEMICOLON,	  /* the line continues like a script: "bash; set -e" */

	/* LINE_REFUSED */
	ERRPIPE_DETAIL_SEVERAL_OPTIONS,	  /* it is one argument, and begins with an option */
	ERRPIPE_DETAIL_TAKEN_FOR_FILE,	  /* it is taken for the name of a script */
	ERRPIPE_DETAIL_TAKEN_FOR_PROGRAM, /* it is the path of the script, and awk lacks -f */
	ERRPIPE_DETAIL_LINE_COMMENT,	  /* it is refused because of a comment at its end */
	ERRPIPE_DETAIL_LONG_OPTION,	  /* the same, and it begins with a long option */
	ERRPIPE_DETAIL_NO_LONG_OPTIONS,	  /* it is a long option, and the interpreter has none */
	ERRPIPE_DETAIL_NON_ASCII_OPTION,  /* it is an option with a no-break space or the like */
	ERRPIPE_DETAIL_NO_APPLET,	  /* busybox takes it for the name of an applet */

	/* ENV_REFUSES */
	ERRPIPE_DETAIL_ENV_OPTION,     /* it has no option object */
	ERRPIPE_DETAIL_ENV_ARGUMENT,   /* its option object needs an argument */
	ERRPIPE_DETAIL_ENV_QUOTE,      /* a quote is not closed in object, for -S */
	ERRPIPE_DETAIL_ENV_BACKSLASH,  /* it does not know the escape sequence object in -S */
	ERRPIPE_DETAIL_ENV_VARIABLE,   /* object, in -S, is not of the form ${NAME} */
	ERRPIPE_DETAIL_ENV_UNSET,      /* object cannot be the name of a variable */
	ERRPIPE_DETAIL_ENV_NULL,       /* -0 is for a call without a command */
	ERRPIPE_DETAIL_ENV_NO_COMMAND, /* -C is for a call with a command */
	ERRPIPE_DETAIL_ENV_DIRECTORY,  /* the directory object of -C cannot be entered */

	/* SECURITY_MODULE: only the errno is known, so another file may have been refused. */
	ERRPIPE_DETAIL_ALLOWED_HERE,

	/* DAMAGED_INTERPRETER_LINE */
	ERRPIPE_DETAIL_HASH_MISSING,
	ERRPIPE_DETAIL_BANG_MISSING,
	ERRPIPE_DETAIL_BANG_BEFORE_HASH,
	ERRPIPE_DETAIL_BLANK_INSIDE,
	ERRPIPE_DETAIL_BACKSLASH_INSIDE,
	ERRPIPE_DETAIL_HASH_TWICE,
	ERRPIPE_DETAIL_WRONG_MARK, /* other characters than "#!" */
	ERRPIPE_DETAIL_MARK_TWICE,
	ERRPIPE_DETAIL_LITERAL_NEWLINE, /* a backslash and "n" where the line should end */
	ERRPIPE_DETAIL_ONLY_RETURNS,	/* carriage returns without line feeds */
	ERRPIPE_DETAIL_LATER_LINE,	/* number is the line, from 1 */
	ERRPIPE_DETAIL_LATER_COLUMN,	/* number is the byte in the first line, from 1 */
	ERRPIPE_DETAIL_DASH,		/* a typographic dash before an option; also of OPTION */
	ERRPIPE_DETAIL_NO_BREAK_SPACE,	/* after the interpreter, in place of a blank */
	ERRPIPE_DETAIL_SLASH,		/* the same: "#!/usr/bin/env/python3" */
	ERRPIPE_DETAIL_BLANK_LOST,	/* "#!/usr/bin/envpython3" */

	/* NO_INTERPRETER_LINE */
	ERRPIPE_DETAIL_MARKED,		   /* it starts with a byte order mark; object is the interpreter that fits */
	ERRPIPE_DETAIL_PAYLOAD,		   /* binary data follows the text */
	ERRPIPE_DETAIL_COMMENT_FOR_SHELLS, /* its first line is a comment of its language, and a command for a shell */

	/* BYTE_ORDER_MARK */
	ERRPIPE_DETAIL_MARK_AND_RETURNS, /* its lines also end in carriage returns */

	/* OTHER_ARCHITECTURE: object is the emulator, or the package that has it. */
	ERRPIPE_DETAIL_EMULATOR_INSTALLED,
	ERRPIPE_DETAIL_EMULATOR_IN_PACKAGE,
	ERRPIPE_DETAIL_EMULATOR_CONFIGURED, /* binfmt.d(5) has a handler for it; object is its file */

	/* NO_COMPATIBILITY: the support that the kernel lacks. */
	ERRPIPE_DETAIL_IA32_EMULATION,
	ERRPIPE_DETAIL_X32_ABI,
	ERRPIPE_DETAIL_COMPAT,
	ERRPIPE_DETAIL_AARCH32,

	/* BAD_PROGRAM_HEADERS and LOADER_INVALID */
	ERRPIPE_DETAIL_HEADER_SIZE, /* each has number bytes instead of limit */
	ERRPIPE_DETAIL_NO_HEADERS,
	ERRPIPE_DETAIL_MANY_HEADERS,  /* there are number; they do not fit in limit bytes */
	ERRPIPE_DETAIL_RETURNS_ADDED, /* each line feed has become a carriage return and a line feed */
	ERRPIPE_DETAIL_WIDENED,	      /* each byte has become two, as UTF-16 */
	ERRPIPE_DETAIL_NO_UTF_8,      /* bytes that are not UTF-8 have been replaced */
	ERRPIPE_DETAIL_HEADERS_MISPLACED,

	/* Only LOADER_INVALID. Without a detail, the format of the broken link shows the kind of the file. */
	ERRPIPE_DETAIL_CUT_OFF,
	ERRPIPE_DETAIL_LOADER_TYPE,   /* number is e_type */
	ERRPIPE_DETAIL_READ_ONLY_TOP, /* its last segment is read-only, which Linux before 6.10 cannot load */

	/* ADDRESS_SPACE, DATA_LIMIT, LIBRARY_LIMIT, SMALL_LIMIT, PROCESS_LIMIT */
	ERRPIPE_DETAIL_CONFIGURED_LIMIT, /* the limit of the question, not that of the caller */

	/* OPEN_FILES */
	ERRPIPE_DETAIL_MOVED_SCRIPT, /* it cannot move its script, subject, to a descriptor that limit allows; number would be enough */

	/* NO_PROCESS */
	ERRPIPE_DETAIL_CGROUP_FULL, /* the cgroup with the directory subject (pids.max) */
	ERRPIPE_DETAIL_USER_FULL,   /* the user (RLIMIT_NPROC) */
	ERRPIPE_DETAIL_SYSTEM_FULL, /* the system, or a cgroup that is not visible; limit is 0 */

	/* BAD_LOADER_NAME: number is its length. */
	ERRPIPE_DETAIL_NAME_EMPTY,
	ERRPIPE_DETAIL_NAME_TOO_SHORT,
	ERRPIPE_DETAIL_NAME_TOO_LONG,
	ERRPIPE_DETAIL_NAME_MISPLACED,
	ERRPIPE_DETAIL_NAME_UNTERMINATED,

	/* LOADER_MISSING, LOADER_OF_OTHER_ABI: the provider of the loader; object is the provider's name. */
	ERRPIPE_DETAIL_PACKAGE,
	ERRPIPE_DETAIL_GLIBC_PACKAGE, /* of Debian; on Alpine it is gcompat */
	ERRPIPE_DETAIL_ON_NIXOS,      /* the root is that of NixOS, which has no loader there */
	ERRPIPE_DETAIL_FROM_STORE,    /* Nix, Guix */
	ERRPIPE_DETAIL_FROM_SYSTEM,   /* another system, such as FreeBSD */
	ERRPIPE_DETAIL_FROM_ANDROID,
	ERRPIPE_DETAIL_FROM_LSB,
	ERRPIPE_DETAIL_LOADER_ELSEWHERE, /* object is a loader of the same C library */
	ERRPIPE_DETAIL_LOADER_UNMERGED,	 /* object is the loader; a symbolic link that led to it is missing */
	ERRPIPE_DETAIL_LOADER_BLANK,	 /* object is the loader; its name in the program ends in a blank */
	ERRPIPE_DETAIL_EMULATED,	 /* an emulator runs the program, and looks for the loader in the same root */

	/* LIBRARY_MISSING. Without a detail: it was not found anywhere. */
	ERRPIPE_DETAIL_NOT_IN_CACHE,  /* available is in a directory of ld.so.conf, but ldconfig has not run since */
	ERRPIPE_DETAIL_LIST_REPLACES, /* it is in a usual directory, which musl's list, object, lacks */
	ERRPIPE_DETAIL_NOT_SEARCHED,  /* its loader does not look in the directory of available */
	ERRPIPE_DETAIL_NOT_INHERITED, /* a RUNPATH, which counts for its own file only, leads to available; object is
					 what to add to that of needer */
	ERRPIPE_DETAIL_ORIGIN_LOST,   /* RPATH or RUNPATH of needer lacks $ORIGIN; object is what was meant */
	ERRPIPE_DETAIL_OTHER_ABI, /* a 32-bit program on a 64-bit system, or the like; object: Debian's architecture */
	ERRPIPE_DETAIL_BESIDE_PROGRAM, /* the same, and object is the program's own directory */
	ERRPIPE_DETAIL_RELATIVE_LIBRARY, /* subject is a path in the working directory; object: a directory that has it */
	ERRPIPE_DETAIL_ABSOLUTE_LIBRARY,     /* subject is a path */
	ERRPIPE_DETAIL_DANGLING_LIBRARY,     /* the symbolic link available leads to object, which does not exist */
	ERRPIPE_DETAIL_UNLINKED_LIBRARY,     /* available has that SONAME, but another file name */
	ERRPIPE_DETAIL_OTHER_VERSION,	     /* available is another version of it */
	ERRPIPE_DETAIL_PRIVILEGED_LIBRARY,   /* the program gains privileges, so the loader ignores LD_LIBRARY_PATH */
	ERRPIPE_DETAIL_PRIVILEGED_ELSEWHERE, /* the same, but the library exists as available */
	ERRPIPE_DETAIL_SHUT_DIRECTORY, /* the process may not search the directory object, and it may be there */

	/* LIBRARY_OTHER_ARCHITECTURE: the program is for ARM as well, but for the other floating-point ABI. */
	ERRPIPE_DETAIL_HARD_FLOAT, /* of the program */
	ERRPIPE_DETAIL_SOFT_FLOAT,

	/* LIBRARY_OF_OTHER_LIBC */
	ERRPIPE_DETAIL_OTHER_LOADER, /* the loader is from has_libc */
	ERRPIPE_DETAIL_ONLY_LOADER, /* the root has object, the loader of has_libc, and only the loader of needs_libc */

	/* LIBRARY_INVALID */
	ERRPIPE_DETAIL_LIBRARY_NOT_A_FILE, /* such as a directory */
	ERRPIPE_DETAIL_LIBRARY_SHORT,	   /* shorter than an ELF header */
	ERRPIPE_DETAIL_LIBRARY_NOT_ELF,
	ERRPIPE_DETAIL_LIBRARY_DAMAGED,
	ERRPIPE_DETAIL_LIBRARY_OTHER_SYSTEM, /* by its EI_OSABI */
	ERRPIPE_DETAIL_LIBRARY_IS_PROGRAM,
	ERRPIPE_DETAIL_LIBRARY_CUT_OFF, /* it has only number bytes. The process is killed by SIGBUS */
	ERRPIPE_DETAIL_LIBRARY_EMPTY,
	ERRPIPE_DETAIL_LIBRARY_LINKER_SCRIPT,

	/* VERSION_MISSING */
	ERRPIPE_DETAIL_OLDER,		     /* subject is older than the library with which needer was built */
	ERRPIPE_DETAIL_SHADOWED_BY_VARIABLE, /* LD_LIBRARY_PATH leads to shadowing, and the loader does not take shadowed */
	ERRPIPE_DETAIL_SHADOWED_BY_RPATH, /* an RPATH or RUNPATH leads to it */

	/* LOADER_STAND_IN */
	ERRPIPE_DETAIL_NIXOS_STUB,

	/* SEGMENT_ADDRESS: the kernel chooses the address at random, and the file fits only at some addresses. */
	ERRPIPE_DETAIL_RANDOM_ADDRESS,

	/* ARGUMENT_TOO_LONG: object is the argument's number, from 0, or the variable's name. */
	ERRPIPE_DETAIL_ARGUMENT,
	ERRPIPE_DETAIL_VARIABLE,

	/* ARGUMENTS_TOO_LARGE: the larger part; 0 if the known ones would fit. */
	ERRPIPE_DETAIL_MANY_ARGUMENTS,
	ERRPIPE_DETAIL_MANY_VARIABLES, /* object: the beginning of most names, as in "CI_*", or NULL */
	ERRPIPE_DETAIL_SERVICE_LINKS,  /* most of the environment describes the services of a Kubernetes namespace */
	ERRPIPE_DETAIL_CI_VARIABLES,   /* most of it was set by a CI service, such as GitLab */

	/* SET_ID_IGNORED */
	ERRPIPE_DETAIL_NOSUID,
	ERRPIPE_DETAIL_NO_NEW_PRIVS, /* whether or not the file system is mounted nosuid */

	/* NOT_IN_PATH */
	ERRPIPE_DETAIL_PATH_NOT_EXPANDED, /* subject, in PATH, is for a shell: "$PATH"; available: its expansion */
	ERRPIPE_DETAIL_PATH_QUOTED,	  /* subject, in PATH, has a quote in it */
	ERRPIPE_DETAIL_PATH_EMPTY,
	ERRPIPE_DETAIL_PATH_UNSET,     /* the environment has no PATH */
	ERRPIPE_DETAIL_PATH_SEPARATOR, /* subject separates its directories instead of ":" */
	ERRPIPE_DETAIL_PATH_BLANKS,    /* the same, and it is a blank */
	ERRPIPE_DETAIL_PATH_OF_WINDOWS,
	ERRPIPE_DETAIL_PATH_RETURN,  /* subject, in PATH, has a carriage return at its end */
	ERRPIPE_DETAIL_PATH_NEWLINE, /* subject, in PATH, has a line feed at its end */
	ERRPIPE_DETAIL_PATH_BLANK,   /* subject, in PATH, has a blank at one of its ends */
	ERRPIPE_DETAIL_PATH_TWICE,   /* subject, in PATH, begins with "PATH=" */
	ERRPIPE_DETAIL_PATH_FILE,    /* subject, in PATH, is the program itself */

	/* NOT_IN_PATH, MISSING, INTERPRETER_MISSING: a shell is missing, and the root has no other. */
	ERRPIPE_DETAIL_NO_SHELL,

	/* OUTSIDE_PATH. 0: another directory in which programs usually are. */
	ERRPIPE_DETAIL_IN_CWD, /* "./" was left out */

	/* NEAR_MISS */
	ERRPIPE_DETAIL_OTHER_DIRECTORY,
	ERRPIPE_DETAIL_LEADING_SLASH, /* it is in the working directory, not in the root */
	ERRPIPE_DETAIL_TORN_APART,    /* the directory subject has replaced a symbolic link into /usr */
	ERRPIPE_DETAIL_EXTRA_BLANK,
	ERRPIPE_DETAIL_RETURN, /* a carriage return */
	ERRPIPE_DETAIL_INVISIBLE,
	ERRPIPE_DETAIL_LOOK_ALIKE, /* a dash, or a Cyrillic or Greek letter, in place of ASCII */
	ERRPIPE_DETAIL_CASE,
	ERRPIPE_DETAIL_SUFFIX,
	ERRPIPE_DETAIL_LETTER,
	ERRPIPE_DETAIL_PUNCTUATION,    /* a comma or a semicolon at its end */
	ERRPIPE_DETAIL_OTHER_NAME,     /* object is the same program under another name */
	ERRPIPE_DETAIL_PYTHON_3,       /* object is python3, and python is missing */
	ERRPIPE_DETAIL_VERSION,	       /* object has a version in its name */
	ERRPIPE_DETAIL_SYSTEMD_PREFIX, /* such as "-" before the path */
	ERRPIPE_DETAIL_FILE_URL,
	ERRPIPE_DETAIL_BACKSLASHES,
	ERRPIPE_DETAIL_DRIVE,	    /* a Windows drive letter */
	ERRPIPE_DETAIL_CONVERTED,   /* Git Bash put its own directory before it */
	ERRPIPE_DETAIL_ROOT_PREFIX, /* it begins with the caller's path of the root; object is the rest */
	ERRPIPE_DETAIL_MARK,	    /* it begins with the mark of a list or a prompt */

	/* WHOLE_COMMAND */
	ERRPIPE_DETAIL_PLAIN_WORDS,
	ERRPIPE_DETAIL_SHELL_SYNTAX,
	ERRPIPE_DETAIL_BASH_SYNTAX,
	ERRPIPE_DETAIL_QUOTED_WORDS,
	ERRPIPE_DETAIL_ASSIGNED_WORDS, /* it begins with NAME=VALUE */
	ERRPIPE_DETAIL_MARKED_WORDS,   /* it begins with the mark of a list or a prompt */
	ERRPIPE_DETAIL_OTHER_BLANK,    /* its words are separated by a no-break space or the like */

	/* NOT_EXPANDED. 0: by a shell. */
	ERRPIPE_DETAIL_KUBERNETES,	    /* $(NAME) */
	ERRPIPE_DETAIL_DOUBLED_DOLLAR,	    /* $$NAME */
	ERRPIPE_DETAIL_WINDOWS_VARIABLE,    /* %NAME% */
	ERRPIPE_DETAIL_POWERSHELL_VARIABLE, /* $env:NAME */
	ERRPIPE_DETAIL_TEMPLATE,	    /* {{ ... }}, @NAME@ */
	ERRPIPE_DETAIL_SPECIFIER,	    /* systemd's %h */
	ERRPIPE_DETAIL_HOME,		    /* nothing but ~ */
	ERRPIPE_DETAIL_PLACEHOLDER,	    /* "<command>" */

	/* SHELL_BUILTIN. 0: every shell has it. */
	ERRPIPE_DETAIL_CHANGES_DIRECTORY,
	ERRPIPE_DETAIL_BASH_BUILTIN,
	ERRPIPE_DETAIL_KEYWORD,
	ERRPIPE_DETAIL_BASH_KEYWORD,
	ERRPIPE_DETAIL_OPERATOR,    /* "|", ">log" */
	ERRPIPE_DETAIL_ALIAS,	    /* "ll" */
	ERRPIPE_DETAIL_PROMPT,	    /* "$" or the mark of a list, before a program */
	ERRPIPE_DETAIL_INSTRUCTION, /* "CMD" of a Dockerfile */

	/* FOREIGN_PATH */
	ERRPIPE_DETAIL_WINDOWS_PATH,
	ERRPIPE_DETAIL_WINDOWS_INTERPRETER, /* in the first line of a script */
	ERRPIPE_DETAIL_URL,
	ERRPIPE_DETAIL_IMAGE, /* the name of a container image */

	/* LITERAL_QUOTES */
	ERRPIPE_DETAIL_NAME_QUOTED,
	ERRPIPE_DETAIL_JSON_LIST,

	/* NOEXEC_MOUNT: a mount of the question. */
	ERRPIPE_DETAIL_CONFIGURED_MOUNT,

	/* UTF_16: it is that instead. */
	ERRPIPE_DETAIL_UTF_32,

	/* FILE_AS_DIRECTORY: subject has the text object, which names something that exists. */
	ERRPIPE_DETAIL_LINK_AS_TEXT,

	/* NOT_A_ROOT */
	ERRPIPE_DETAIL_ROOT_LAYOUT,  /* the layout of an OCI image */
	ERRPIPE_DETAIL_ROOT_ARCHIVE, /* the content of an archive of docker save */
	ERRPIPE_DETAIL_ROOT_ABOVE,   /* a directory that contains the root */
	ERRPIPE_DETAIL_ROOT_INSIDE,  /* a directory inside the root */

	/* MOUNTED_DIRECTORY, MOUNT_MISMATCH */
	ERRPIPE_DETAIL_EMPTY_DIRECTORY,

	/* HIDDEN_BY_MOUNT, LIBRARY_HIDDEN_BY_MOUNT */
	ERRPIPE_DETAIL_MASKED,		/* subject is not a mount but a masked path */
	ERRPIPE_DETAIL_NEW_FILE_SYSTEM, /* it is empty at first, such as tmpfs */

	/* MOUNT_MISMATCH. The other form is EMPTY_DIRECTORY, or 0 for a directory that is not empty. */
	ERRPIPE_DETAIL_FILE_ON_DIRECTORY,

	/* HANDLER_MISMATCH: the bytes are unused padding, or they include the mark of an AppImage. */
	ERRPIPE_DETAIL_PADDING,
	ERRPIPE_DETAIL_APPIMAGE,

	/* HANDLER_MISSING */
	ERRPIPE_DETAIL_OTHER_ROOT,
	ERRPIPE_DETAIL_WSL_HANDLER_LOST, /* a Windows program in WSL, and WSL's own handler is gone */

	/* BUNDLE_CAPABILITIES: the set that has too many. */
	ERRPIPE_DETAIL_EFFECTIVE,   /* more than the permitted ones */
	ERRPIPE_DETAIL_INHERITABLE, /* more than the bounding set */

	/* BUNDLE_VARIABLE: the entry lacks */
	ERRPIPE_DETAIL_VARIABLE_VALUE, /* "=" */
	ERRPIPE_DETAIL_VARIABLE_NAME,  /* a name before "=" */

	/* BUNDLE_LIMIT */
	ERRPIPE_DETAIL_LIMIT_UNKNOWN,	 /* Linux has no limit with the name object */
	ERRPIPE_DETAIL_SOFT_ABOVE_HARD,	 /* of the limit object */
	ERRPIPE_DETAIL_FILES_ABOVE_OPEN, /* RLIMIT_NOFILE is number, and fs.nr_open is limit */

	/* BUNDLE_LABEL */
	ERRPIPE_DETAIL_NO_APPARMOR,
	ERRPIPE_DETAIL_PROFILE_NOT_LOADED, /* AppArmor does not have the profile object */
	ERRPIPE_DETAIL_NO_SELINUX,

	/* BUNDLE_SECCOMP */
	ERRPIPE_DETAIL_SECCOMP_ERRNO,
	ERRPIPE_DETAIL_SECCOMP_KILLS,

	/* DANGLING_LINK, in a root that is not the caller's: object is a path of the caller's root. */
	ERRPIPE_DETAIL_LINK_WITH_ROOT, /* it begins with the caller's path of the root; available is the rest */
	ERRPIPE_DETAIL_LINK_TO_HOST,   /* it exists only there; see compare_own_root */

	/* SETUP_FAILED: object is a directory for a shell, such as "~/x"; available: its expansion, which exists */
	ERRPIPE_DETAIL_DIRECTORY_NOT_EXPANDED
};

/* The class of the process for a file. */
enum errpipe_class {
	ERRPIPE_CLASS_NONE = 0,
	ERRPIPE_CLASS_OWNER,
	ERRPIPE_CLASS_USER, /* named in the access control list */
	ERRPIPE_CLASS_GROUP,
	ERRPIPE_CLASS_NAMED_GROUP, /* in the access control list */
	ERRPIPE_CLASS_OTHER,
	ERRPIPE_CLASS_ANYONE /* the x bit is denied to everybody, including root */
};

/* UNSEARCHABLE, NOT_EXECUTABLE: the class to which the mode or the access control list denies the x bit. */
struct errpipe_denied {
	enum errpipe_class as; /* 0: the cause is a different one, and the other members are unknown */
	uid_t uid;	       /* of the process */
	gid_t gid;	       /* the group of the file, or the one that the list names */
	mode_t mode;	       /* of the file or directory */
	int acl;	       /* nonzero: an access control list decides */
	int mask;	       /* nonzero: only the mask of that list denies it */
	int unnamed;	       /* nonzero: OTHER, and /etc/passwd of the root does not have uid */
};

/* TEXT_BUSY: the processes that have the file open for writing, as far as /proc shows them. */
enum { ERRPIPE_WRITERS_MAX = 3 };

struct errpipe_writer {
	pid_t pid;
	const char *name; /* or NULL */
};

struct errpipe_writers {
	int count;
	int more; /* nonzero: there are others */
	struct errpipe_writer writer[ERRPIPE_WRITERS_MAX];
};

/* The strings of argv or envp, in bytes as the kernel counts them: with the NULs and the pointers. */
struct errpipe_strings {
	uint64_t count, bytes;
};

/* The state of binfmt_misc for a foreign program. */
enum errpipe_binfmt {
	ERRPIPE_BINFMT_NOT_ASKED = 0, /* the program is not foreign */
	ERRPIPE_BINFMT_NONE,	      /* the kernel lacks binfmt_misc */
	ERRPIPE_BINFMT_NOT_VISIBLE,   /* it cannot be read, for example because /proc is not mounted */
	ERRPIPE_BINFMT_NOT_MOUNTED,
	ERRPIPE_BINFMT_NO_HANDLER,
	ERRPIPE_BINFMT_HANDLER_DISABLED, /* handler names it */
	ERRPIPE_BINFMT_DISABLED,	 /* binfmt_misc is disabled as a whole, including handler */
	ERRPIPE_BINFMT_ENABLED		 /* handler is enabled now, but was not at the time of the exec */
};

enum errpipe_certainty {
	ERRPIPE_CERTAIN = 1, /* the exec does fail for this reason */
	ERRPIPE_LIKELY,	     /* the best explanation, but others are possible */
	ERRPIPE_UNSURE	     /* no cause was found, or something could not be inspected */
};

enum errpipe_link_kind {
	ERRPIPE_LINK_PROGRAM = 1, /* the file to exec */
	ERRPIPE_LINK_INTERPRETER, /* the interpreter of a script */
	ERRPIPE_LINK_HANDLER,	  /* binfmt_misc's handler for a foreign program */
	ERRPIPE_LINK_LOADER,	  /* the loader of a dynamic program: PT_INTERP */
	ERRPIPE_LINK_COMMAND	  /* the program that env(1) or a shell, an earlier link, execs */
};

/* The format of a file, from its first bytes. */
enum errpipe_format {
	ERRPIPE_FORMAT_NOT_READ = 0,
	ERRPIPE_FORMAT_EMPTY,
	ERRPIPE_FORMAT_SCRIPT, /* "#!" */
	ERRPIPE_FORMAT_ELF,
	ERRPIPE_FORMAT_TEXT,
	ERRPIPE_FORMAT_BYTE_ORDER_MARK, /* that of UTF-8 */
	ERRPIPE_FORMAT_UTF_16,
	ERRPIPE_FORMAT_PE,
	ERRPIPE_FORMAT_MACH_O,
	ERRPIPE_FORMAT_JAVA_CLASS,
	ERRPIPE_FORMAT_WEBASSEMBLY,
	ERRPIPE_FORMAT_GZIP,
	ERRPIPE_FORMAT_XZ,
	ERRPIPE_FORMAT_ZSTD,
	ERRPIPE_FORMAT_BZIP2,
	ERRPIPE_FORMAT_LZ4,
	ERRPIPE_FORMAT_7Z,
	ERRPIPE_FORMAT_RAR,
	ERRPIPE_FORMAT_CPIO,
	ERRPIPE_FORMAT_CAB,
	ERRPIPE_FORMAT_ZIP,
	ERRPIPE_FORMAT_AR,
	ERRPIPE_FORMAT_TAR,
	ERRPIPE_FORMAT_UNKNOWN
};

/*
 * The kind of a file that the kernel does not start, judged from more of its bytes and sometimes its name. PYTHON to FISH
 * are scripts. PYTHON to PLAIN_TEXT are guesses: the file looks like one.
 */
enum errpipe_content {
	ERRPIPE_CONTENT_UNKNOWN = 0, /* or not asked */
	ERRPIPE_CONTENT_PYTHON,
	ERRPIPE_CONTENT_PHP,
	ERRPIPE_CONTENT_JAVASCRIPT,
	ERRPIPE_CONTENT_PERL,
	ERRPIPE_CONTENT_RUBY,
	ERRPIPE_CONTENT_LUA,
	ERRPIPE_CONTENT_TCL,
	ERRPIPE_CONTENT_R,
	ERRPIPE_CONTENT_AWK,
	ERRPIPE_CONTENT_SED,
	ERRPIPE_CONTENT_POWERSHELL,
	ERRPIPE_CONTENT_BASH,
	ERRPIPE_CONTENT_ZSH,
	ERRPIPE_CONTENT_FISH,
	ERRPIPE_CONTENT_C,
	ERRPIPE_CONTENT_CXX,
	ERRPIPE_CONTENT_GO,
	ERRPIPE_CONTENT_RUST,
	ERRPIPE_CONTENT_JAVA,
	ERRPIPE_CONTENT_TYPESCRIPT,
	ERRPIPE_CONTENT_SOURCE, /* of another language */
	ERRPIPE_CONTENT_MAKEFILE,
	ERRPIPE_CONTENT_DOCKERFILE,
	ERRPIPE_CONTENT_SQL,
	ERRPIPE_CONTENT_CSV,
	ERRPIPE_CONTENT_CHECKSUMS,
	ERRPIPE_CONTENT_SETTINGS, /* NAME=value, INI, TOML ... */
	ERRPIPE_CONTENT_UNIT,	  /* of systemd */
	ERRPIPE_CONTENT_MARKDOWN,
	ERRPIPE_CONTENT_WEB_PAGE,
	ERRPIPE_CONTENT_HTTP_ERROR,
	ERRPIPE_CONTENT_HTTP_RESPONSE, /* with its headers */
	ERRPIPE_CONTENT_JSON_ERROR,    /* of a web server */
	ERRPIPE_CONTENT_XML_ERROR,
	ERRPIPE_CONTENT_JSON,
	ERRPIPE_CONTENT_YAML,
	ERRPIPE_CONTENT_XML,
	ERRPIPE_CONTENT_DIFF,
	ERRPIPE_CONTENT_BATCH_FILE,
	ERRPIPE_CONTENT_BASE64,
	ERRPIPE_CONTENT_HEX_DUMP,
	ERRPIPE_CONTENT_UUENCODED,
	ERRPIPE_CONTENT_MIME,	      /* several parts, as in a mail */
	ERRPIPE_CONTENT_LINK_AS_TEXT, /* the target of a symbolic link, stored as text */
	ERRPIPE_CONTENT_CONTAINER_IMAGE,
	ERRPIPE_CONTENT_PLAIN_TEXT,
	ERRPIPE_CONTENT_GIT_LFS_POINTER,
	ERRPIPE_CONTENT_GIT_ANNEX_POINTER,
	ERRPIPE_CONTENT_MERGE_CONFLICT,
	ERRPIPE_CONTENT_ANSIBLE_VAULT,
	ERRPIPE_CONTENT_AGE,
	ERRPIPE_CONTENT_PGP_MESSAGE,
	ERRPIPE_CONTENT_SSH_KEY,
	ERRPIPE_CONTENT_DOCUMENT, /* PDF and the like */
	ERRPIPE_CONTENT_LIBTOOL_LIBRARY,
	ERRPIPE_CONTENT_PEM, /* a key or a certificate. No part of it is ever quoted. */
	ERRPIPE_CONTENT_GIT_CRYPT,
	ERRPIPE_CONTENT_STATIC_LIBRARY,
	ERRPIPE_CONTENT_GO_PACKAGE,
	ERRPIPE_CONTENT_DEBIAN_PACKAGE,
	ERRPIPE_CONTENT_RPM_PACKAGE,
	ERRPIPE_CONTENT_ALPINE_PACKAGE,
	ERRPIPE_CONTENT_ANDROID_PACKAGE,
	ERRPIPE_CONTENT_JAR,
	ERRPIPE_CONTENT_WHEEL,
	ERRPIPE_CONTENT_ZIPAPP,
	ERRPIPE_CONTENT_APPIMAGE,
	ERRPIPE_CONTENT_BPF_OBJECT,
	ERRPIPE_CONTENT_KERNEL_MODULE,
	ERRPIPE_CONTENT_PYTHON_BYTECODE,
	ERRPIPE_CONTENT_LUA_BYTECODE,
	ERRPIPE_CONTENT_LLVM_BITCODE,
	ERRPIPE_CONTENT_DISK_IMAGE,
	ERRPIPE_CONTENT_DATABASE,
	ERRPIPE_CONTENT_PICTURE,
	ERRPIPE_CONTENT_WINDOWS_SHORTCUT,
	ERRPIPE_CONTENT_WINDOWS_INSTALLER,
	ERRPIPE_CONTENT_DOTNET,
	ERRPIPE_CONTENT_EFI_PROGRAM,
	ERRPIPE_CONTENT_LINUX_KERNEL,
	ERRPIPE_CONTENT_DEVICE_CODE,
	ERRPIPE_CONTENT_NUL_BYTES
};

/* One file of the chain. Members that are unknown are 0 or NULL. */
struct errpipe_link {
	enum errpipe_link_kind kind;
	int parent;	      /* the index of the link that names this one; -1: none, it is the program */
	const char *path;     /* as the kernel gets it */
	const char *resolved; /* the path in the root with all symbolic links resolved; NULL: it does not exist */
	const char *here;     /* the caller's path of that file: root_name or a mount's name, and the rest; or NULL */

	mode_t mode; /* with the file type, as in struct stat; 0: unknown */
	uid_t uid;
	gid_t gid;
	uint64_t size;
	int acl;	    /* nonzero: it also has an access control list */
	int mounted;	    /* nonzero: it is on a mount of the question */
	int noexec, nosuid; /* nonzero: its mount has this flag */
	const char *mount;  /* the mount point, if it matters */
	enum errpipe_format format;
	enum errpipe_content content;
	const char *argument;		   /* the argument on the #! line; or NULL */
	unsigned machine;		   /* ELF: e_machine */
	unsigned type;			   /* ELF: e_type */
	unsigned char elf_class, elf_data; /* ELF: EI_CLASS, EI_DATA */
	unsigned char elf_abi;		   /* ELF: EI_OSABI */
	int dynamic;			   /* nonzero: it has a loader */
	const char *architecture;	   /* "aarch64"; NULL: not ELF, or unknown */
	enum errpipe_cause
		fault;	   /* of a link after the broken one, or besides NOT_EXECUTABLE: its own fault, or NONE */
	const char *wrong; /* that fault in words; or NULL */
	uint64_t reserved[2];
};

enum { ERRPIPE_LINKS_MAX = 24 };

/* A library that the program needs, directly or through another library. */
struct errpipe_library {
	const char *name;	  /* as in the file that needs it: "libz.so.1" */
	const char *needed_by;	  /* the path of the program or library that needs it; NULL: LD_PRELOAD or the like */
	const char *path;	  /* where its loader finds it in the root; NULL: nowhere */
	enum errpipe_cause fault; /* or NONE */
};

enum { ERRPIPE_LIBRARIES_MAX = 256 };

/* Some 80 kilobytes: too large for some stacks. Do not copy it: its strings are inside it. */
struct errpipe_explanation {
	enum errpipe_cause cause;
	enum errpipe_certainty certainty;
	int works; /* nonzero: the exec would at least start the program; 0 also if unknown */
	int starts; /* nonzero: works, and neither its loader, env(1) nor a shell stops before the program's own code */
	int status; /* the exit status with which the loader, env(1) or shell then ends; 0: unknown, or starts */
	int error;  /* the errno of the exec; 0: none, because it works or the kernel kills the process */
	int broken; /* the index of the broken link; -1: none, or not a single one */

	/* Details of the cause, see enum errpipe_cause. NULL and 0 where a cause has none. */
	const char *subject;
	const char *object;
	const char *subject_here; /* like here of a link, if subject is a file or directory in the root; or NULL */
	const char *object_here, *needer_here; /* the same for object and needer, if the advice needs it */
	const char *root_here; /* the same for the root, if the advice has a command for the whole root */
	uint64_t number, limit;
	struct errpipe_strings arguments, variables; /* ARGUMENTS_TOO_LARGE */

	enum errpipe_detail detail;
	struct errpipe_denied denied;
	struct errpipe_writers writers;
	const char *needs_libc, *has_libc; /* ..._OF_OTHER_LIBC: the program needs "glibc", the root has "musl" */

	/* For causes that stop a loader. */
	const char *needer; /* the path of the program or library whose need is not met */
	const char
		*searched; /* LIBRARY_MISSING: where it was looked for besides the system's directories: "/a, /b" */
	/* LIBRARY_MISSING: a path of it; VERSION_MISSING: the newest version that it has; NOT_IN_PATH: see the details */
	const char *available;
	const char *shadowing, *shadowed;     /* VERSION_MISSING: the library found, and another one that would do */
	enum errpipe_content subject_content; /* LIBRARY_INVALID: the kind of the file subject */

	const char *host;	   /* the architecture of the kernel: "x86_64"; NULL: not known */
	const char *host_platform; /* the same as container tools write it: "linux/amd64", or NULL */
	const char *platform;	   /* of a foreign program, in the same way: "linux/arm64", or NULL */
	const char *modules;	   /* security modules that are active, as in "landlock,apparmor"; NULL: not known */
	enum errpipe_binfmt binfmt;
	const char *handler; /* the name of the handler in binfmt_misc that takes the program, or would take it */

	int links;
	struct errpipe_link link[ERRPIPE_LINKS_MAX];

	/* The libraries of the last program of the chain, in the order in which its loader takes them. */
	int libraries;
	int more_libraries; /* nonzero: there are others, for which library has no room */
	struct errpipe_library library[ERRPIPE_LIBRARIES_MAX];

	const char *looking_at; /* while errpipe_explain() runs: the path in the root that it inspects */

	uint64_t reserved[4];

	size_t strings_used;
	char strings[16 * 4096];
};

/*
 * Explain why the exec failed, or whether it would work. *explanation need not be initialized.
 *
 * Returns 0 and fills in *explanation, even if nothing is wrong (ERRPIPE_CAUSE_NONE) or no cause was found
 * (ERRPIPE_CAUSE_UNKNOWN). Otherwise returns a negative errno:
 *	-EBADF		root is not open, or is negative, as after a failed open(2)
 *	-ENOTDIR	root is not a directory
 *	-EFAULT		explanation, question, its path or the place of a mount is NULL, or mounts is NULL although
 *			mounts_count is not 0
 *	-EINVAL		a reserved member of question, of who or of a mount is not 0; or the report is about a process
 *			that started and was not killed by a signal
 *	-ENOMEM		no memory for the paths of the mounts
 *	other		the errors of open(2), fcntl(2) and capget(2)
 *
 * Every descriptor that it opens is close-on-exec, and is closed again. Where /proc is mounted, it is used to open files
 * by descriptor and to find mount points, binfmt_misc handlers and the writers of a busy file.
 */
int errpipe_explain(struct errpipe_explanation *explanation, const struct errpipe_question *question);

/*
 * IN WORDS
 *
 * Each of these writes one line without a newline and returns its length, like snprintf(3). Control characters are
 * escaped as in errpipe_message(). An explanation of NULL gives an empty line. No line contains phrases that container
 * tools parse as an errno.
 */

/* What is wrong: its interpreter "/bin/bash" does not exist */
size_t errpipe_finding(char *buf, size_t size, const struct errpipe_explanation *explanation);

/* What to do about it: install it, or correct the first line of "./x" */
size_t errpipe_advice(char *buf, size_t size, const struct errpipe_explanation *explanation);

/* One link of the chain: "ELF 64-bit, aarch64, dynamic, mode 0755"; for the broken link, its fault: "missing". */
size_t errpipe_link_words(char *buf, size_t size, const struct errpipe_explanation *explanation, int link);

/* The name of a cause, as in JSON: "loader-missing". Names are stable. NULL for a number that is not a cause. */
const char *errpipe_cause_name(enum errpipe_cause cause);

/* "certain", "likely" or "unknown". NULL for any other number. */
const char *errpipe_certainty_name(enum errpipe_certainty certainty);

#ifdef __cplusplus
}
#endif

#endif
