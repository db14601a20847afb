/* SPDX-License-Identifier: MIT */
/*
 * errpipe_explain: why did, or would, an exec fail?
 *
 * INTRODUCTION
 *
 * execve(2) returns one number for many causes. ENOENT can mean a missing file, a missing interpreter, that
 * interpreter's missing loader, or a carriage return after "#!/bin/sh". errpipe_explain() walks the chain as the kernel
 * does, from the file to its interpreter and on to the loader. It names the broken link and the cause. It never runs
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
 * The root may be an image that others have made. No link and no ".." leads out of it. Only regular files are opened
 * for reading, and of these a few kilobytes are read; a FIFO or a device is not touched. The work is bounded, whatever
 * the image holds. But a file system that does not respond, such as one of a network, can block errpipe_explain(). If
 * that can happen, call it in a child process, with the explanation in shared memory, and kill that child when it has
 * taken too long. The field looking_at is then the path where it was. Not even SIGKILL ends some of these waits, so the
 * child should close the pipes and locks that it has inherited.
 *
 * Not every 64-bit kernel runs 32-bit programs, and only an exec shows whether it does. For such a program,
 * errpipe_explain() tries one in a child: the exec of an ELF header that the library makes up and that no kernel
 * starts. That child causes no SIGCHLD, and a wait for any child does not return it.
 *
 * Nothing is printed and nothing is malloc'd. Thread-safe; not async-signal-safe.
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

#define ERRPIPE_OWN_ROOT 0 /* the root of the caller. The descriptor of another root must not be 0 */

/* A file system that will be mounted in the root before the exec but is not mounted yet. */
struct errpipe_mount {
	const char *at; /* where: a path in the root, without symbolic links. On "/" itself nothing can be told */
	int source;	/* the directory or file that will be there (O_PATH is enough); 0 or below: not known yet */
	int noexec;	/* not 0: mounted noexec */
	int nosuid;	/* not 0: mounted nosuid */
	uint64_t reserved[2];
};

/* Who execs. */
struct errpipe_who {
	uid_t uid; /* the effective ids */
	gid_t gid;
	const gid_t *groups; /* supplementary groups */
	size_t groups_count;
	uint64_t effective, inheritable, bounding; /* capabilities: a bit for each */
	int no_new_privs;
	uint64_t reserved[4];
};

/* With only path set and the rest 0: would the exec of path work now, for the caller? */
struct errpipe_question {
	int root;	  /* a directory (O_PATH is enough), or ERRPIPE_OWN_ROOT */
	const char *cwd;  /* the working directory, in the root. NULL: the caller's own, or "/" in another root */
	const char *path; /* as it was given to execve(2): PATH is not searched */

	const struct errpipe_report *report; /* of the attempt; NULL: it was not tried */
	const struct errpipe_who *who;	     /* NULL: the caller */

	/* What was given to execve(2), to explain E2BIG; or NULL. */
	char *const *argv;
	char *const *envp;

	/* Limits of the process that execs, in bytes and in processes. 0: those of the caller. */
	uint64_t limit_stack, limit_address_space, limit_processes, limit_data;

	const struct errpipe_mount *mounts;
	size_t mounts_count;

	uint64_t reserved[4];
};

/*
 * THE EXPLANATION
 */

/* What is wrong. errpipe-causes(7) has an example of each. */
enum errpipe_cause {
	ERRPIPE_CAUSE_NONE = 0, /* nothing: the exec would work, as far as can be seen */
	ERRPIPE_CAUSE_UNKNOWN,	/* it has failed, and nothing was found */

	/* The path. */
	ERRPIPE_CAUSE_EMPTY_PATH,
	ERRPIPE_CAUSE_MISSING,		 /* a component of the path does not exist: subject */
	ERRPIPE_CAUSE_DANGLING_LINK,	 /* a symbolic link, subject, leads to object, which does not exist */
	ERRPIPE_CAUSE_DELETED_CWD,	 /* the working directory was deleted */
	ERRPIPE_CAUSE_LINK_LOOP,	 /* more than 40 symbolic links, subject among them */
	ERRPIPE_CAUSE_NAME_TOO_LONG,	 /* a component of number bytes; limit is the most that there can be */
	ERRPIPE_CAUSE_PATH_TOO_LONG,	 /* the same of the whole path */
	ERRPIPE_CAUSE_FILE_AS_DIRECTORY, /* subject is a file, and the path goes on, or ends in a slash */
	ERRPIPE_CAUSE_UNSEARCHABLE, /* subject is a directory without the x bit that it takes: object says for whom */
	ERRPIPE_CAUSE_LOOKUP_FAILED,   /* the file system answers subject with an error: object is its name */
	ERRPIPE_CAUSE_NOT_YET_MOUNTED, /* it is on subject, which is mounted only when the container starts */
	ERRPIPE_CAUSE_MAGIC_LINK,      /* subject means something else to each process, such as /proc/self/exe */

	/* The file. */
	ERRPIPE_CAUSE_NOT_A_FILE,     /* a directory, a FIFO ...: object */
	ERRPIPE_CAUSE_NOT_EXECUTABLE, /* no x bit: object says for whom */
	ERRPIPE_CAUSE_NOEXEC_MOUNT,   /* it is on a file system, subject, that is mounted noexec */
	ERRPIPE_CAUSE_TEXT_BUSY,      /* it is open for writing: object says by whom, as far as can be seen */
	ERRPIPE_CAUSE_UNREADABLE,     /* it can be executed, but not be read, so its kind is not known */
	ERRPIPE_CAUSE_READ_FAILED,    /* its file system failed to open or read it: object is the name of the error */
	ERRPIPE_CAUSE_SECURITY_MODULE, /* all is there, but the kernel refuses: object has the active modules */

	/* No program, or none that the kernel knows. */
	ERRPIPE_CAUSE_EMPTY_FILE,
	ERRPIPE_CAUSE_NO_INTERPRETER_LINE,   /* text that does not begin with "#!" */
	ERRPIPE_CAUSE_BARE_INTERPRETER_LINE, /* nothing behind "#!" */
	ERRPIPE_CAUSE_LONG_INTERPRETER_LINE, /* the interpreter's name does not end within limit bytes */
	ERRPIPE_CAUSE_BYTE_ORDER_MARK,	     /* before "#!" */
	ERRPIPE_CAUSE_UTF_16,
	ERRPIPE_CAUSE_CARRIAGE_RETURN,	   /* the interpreter's name ends in one, and there is none of that name */
	ERRPIPE_CAUSE_INTERPRETER_MISSING, /* of a script: subject is what is missing of its path */
	ERRPIPE_CAUSE_CHAIN_TOO_DEEP,	   /* interpreters of interpreters: limit */
	ERRPIPE_CAUSE_WINDOWS_PROGRAM,
	ERRPIPE_CAUSE_MACOS_PROGRAM,
	ERRPIPE_CAUSE_JAVA_CLASS,
	ERRPIPE_CAUSE_WEBASSEMBLY,
	ERRPIPE_CAUSE_ARCHIVE,	      /* gzip, zip, ar ...: object */
	ERRPIPE_CAUSE_UNKNOWN_FORMAT, /* bytes that are none of these */

	/* ELF. */
	ERRPIPE_CAUSE_OTHER_ARCHITECTURE,
	ERRPIPE_CAUSE_HANDLER_DISABLED,	    /* another architecture; its binfmt_misc handler, object, is disabled */
	ERRPIPE_CAUSE_NO_COMPATIBILITY,	    /* 32-bit, or x32: the kernel is built, or was started, without */
	ERRPIPE_CAUSE_TRUNCATED_ELF,	    /* number bytes are there, and limit needed */
	ERRPIPE_CAUSE_OBJECT_FILE,	    /* ET_REL: not linked */
	ERRPIPE_CAUSE_CORE_DUMP,	    /* ET_CORE */
	ERRPIPE_CAUSE_BAD_ELF_TYPE,	    /* neither: number */
	ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS,  /* their size, number, is not limit; or there are none, or too many */
	ERRPIPE_CAUSE_BAD_LOADER_NAME,	    /* too short, too long, or without an end */
	ERRPIPE_CAUSE_SHARED_LIBRARY,	    /* without an entry point: it is started, and crashes */
	ERRPIPE_CAUSE_LOADER_MISSING,	    /* object: the package that Debian has it in, or what it belongs to */
	ERRPIPE_CAUSE_LOADER_OF_OTHER_LIBC, /* missing, and another libc's, object, is there */
	ERRPIPE_CAUSE_LOADER_OF_OTHER_ABI,  /* missing, as are all libraries of that architecture */
	ERRPIPE_CAUSE_LOADER_INVALID,	    /* not ELF, or a broken one */
	ERRPIPE_CAUSE_LOADER_OTHER_ARCHITECTURE,
	ERRPIPE_CAUSE_LOADER_TOO_SHORT,

	/* The kernel begins to load it, and kills the process. There is no report of that but the wait status. */
	ERRPIPE_CAUSE_NO_LOAD_SEGMENT,
	ERRPIPE_CAUSE_SEGMENT_SIZE,	 /* segment number is larger in the file than in memory */
	ERRPIPE_CAUSE_SEGMENT_ALIGNMENT, /* the address of segment number and its offset differ within a page */
	ERRPIPE_CAUSE_SEGMENT_OFFSET,	 /* segment number ends at an offset that no file can have */
	ERRPIPE_CAUSE_SEGMENT_OVERLAP,	 /* segment number overlaps what is mapped already */
	ERRPIPE_CAUSE_SEGMENT_ADDRESS, /* segment number lies below the limit of vm.mmap_min_addr, or above all memory */
	ERRPIPE_CAUSE_ENTRY_POINT,     /* nothing is loaded at the entry point, object */
	ERRPIPE_CAUSE_ADDRESS_SPACE, /* it takes number bytes, and RLIMIT_AS is limit; 0: more than the machine has */
	ERRPIPE_CAUSE_DATA_LIMIT,    /* it raises the data of the process to number bytes; RLIMIT_DATA is limit */

	/* The process. */
	ERRPIPE_CAUSE_ARGUMENT_TOO_LONG,   /* one string of number bytes, and limit is the most: object names it */
	ERRPIPE_CAUSE_ARGUMENTS_TOO_LARGE, /* all together */
	ERRPIPE_CAUSE_PROCESS_LIMIT,	   /* the user has more processes than RLIMIT_NPROC, limit, allows */
	ERRPIPE_CAUSE_FILE_CAPABILITIES,   /* the file has capabilities, object, that the bounding set has not */
	ERRPIPE_CAUSE_SET_ID_IGNORED,	   /* it starts, but without its set-id bits: object says why */
	ERRPIPE_CAUSE_SECCOMP,		   /* execve(2) has returned 0, and nothing was exec'd */
	ERRPIPE_CAUSE_STUB_REFUSED,	   /* the stub could not start or run. subject, the program, was not tried */
	ERRPIPE_CAUSE_STEP_FAILED,	   /* one of the caller's own steps failed. subject was not tried */
	ERRPIPE_CAUSE_NO_ANSWER,	   /* the file system of subject does not answer */
	ERRPIPE_CAUSE_CANNOT_LOOK /* the caller cannot look at it: object is the error; with EMFILE, limit is set */
};

enum errpipe_certainty {
	ERRPIPE_CERTAIN = 1, /* the kernel does fail so */
	ERRPIPE_LIKELY,	     /* the best explanation that there is, but others are possible */
	ERRPIPE_UNSURE	     /* it was not found, or could not be looked at */
};

enum errpipe_link_kind {
	ERRPIPE_LINK_PROGRAM = 1, /* what was to be exec'd */
	ERRPIPE_LINK_INTERPRETER, /* of a script */
	ERRPIPE_LINK_HANDLER,	  /* of a foreign program, from binfmt_misc */
	ERRPIPE_LINK_LOADER	  /* of a dynamic program: PT_INTERP */
};

/* What a file begins with. */
enum errpipe_format {
	ERRPIPE_FORMAT_NOT_READ = 0,
	ERRPIPE_FORMAT_EMPTY,
	ERRPIPE_FORMAT_SCRIPT, /* "#!" */
	ERRPIPE_FORMAT_ELF,
	ERRPIPE_FORMAT_TEXT,
	ERRPIPE_FORMAT_BYTE_ORDER_MARK, /* of UTF-8 */
	ERRPIPE_FORMAT_UTF_16,
	ERRPIPE_FORMAT_PE,
	ERRPIPE_FORMAT_MACH_O,
	ERRPIPE_FORMAT_JAVA_CLASS,
	ERRPIPE_FORMAT_WEBASSEMBLY,
	ERRPIPE_FORMAT_GZIP,
	ERRPIPE_FORMAT_XZ,
	ERRPIPE_FORMAT_ZSTD,
	ERRPIPE_FORMAT_BZIP2,
	ERRPIPE_FORMAT_ZIP,
	ERRPIPE_FORMAT_AR,
	ERRPIPE_FORMAT_TAR,
	ERRPIPE_FORMAT_UNKNOWN
};

/* One file of the chain. What could not be learnt is 0 or NULL. */
struct errpipe_link {
	enum errpipe_link_kind kind;
	const char *path;     /* as the kernel is given it */
	const char *resolved; /* where that is in the root, when all symbolic links are followed; NULL: nowhere */

	mode_t mode; /* with its type, as in struct stat; 0: it could not be looked at */
	uid_t uid;
	gid_t gid;
	uint64_t size;
	int acl;	    /* not 0: the mode is not all, there is an access control list */
	int noexec, nosuid; /* not 0: of its mount */
	const char *mount;  /* where that is mounted, if it matters */
	enum errpipe_format format;
	const char *argument;		   /* of the script's first line, for the interpreter; or NULL */
	unsigned machine;		   /* ELF: e_machine; the rest of its identity: */
	unsigned type;			   /* e_type */
	unsigned char elf_class, elf_data; /* EI_CLASS, EI_DATA */
	int dynamic;			   /* not 0: it has a loader */
	const char *architecture;	   /* "aarch64"; NULL: no ELF, or none that is known */
	const char *wrong; /* of a link after the broken one: the fault that it has as well, in words; or NULL */
	uint64_t reserved[2];
};

enum { ERRPIPE_LINKS_MAX = 8 };

/* Some 70 kilobytes, so not for every stack. Its strings are inside it: do not copy it. */
struct errpipe_explanation {
	enum errpipe_cause cause;
	enum errpipe_certainty certainty;
	int works; /* not 0: the exec would at least start the program; 0 also if unknown */
	int error; /* the errno that such an exec gives; 0: none, as when it works, or the kernel kills the process */
	int broken; /* the index of the link that is broken; -1: none, or none alone */

	/* What the cause is about, see there. NULL and 0 if there is nothing. */
	const char *subject;
	const char *object;
	uint64_t number, limit;

	const char *host;     /* the architecture of the kernel: "x86_64" */
	const char *platform; /* of a foreign program, as container tools write it: "linux/arm64" */
	const char *modules;  /* security modules that are active, as in "landlock,apparmor"; NULL: not known */
	const char *binfmt;   /* of a foreign program: what binfmt_misc has for it, in words */

	int links;
	struct errpipe_link link[ERRPIPE_LINKS_MAX];

	const char *looking_at; /* while it is not done: the path in the root that is looked at */

	uint64_t reserved[4];

	size_t strings_used;
	char strings[16 * 4096];
};

/*
 * Explain. *explanation is filled in, whatever it held before.
 *
 * Returns 0 and an explanation, even if nothing is wrong (ERRPIPE_CAUSE_NONE) or no cause was found
 * (ERRPIPE_CAUSE_UNKNOWN). -EBADF or -ENOTDIR: root is not a directory, or it is negative, as after an open(2) that
 * failed. -EFAULT: explanation, question or its path is NULL. -EINVAL: a reserved member of question, of who or of a
 * mount is not 0, or the report is of a process that started and was not killed by a signal.
 *
 * Descriptors that it opens are close-on-exec and closed again. Where /proc is mounted, it is used to open files by
 * descriptor and to find mount points, binfmt_misc handlers and the writers of a busy file.
 */
int errpipe_explain(struct errpipe_explanation *explanation, const struct errpipe_question *question);

/*
 * IN WORDS
 *
 * Each writes one line without a newline and returns its length, as snprintf(3) does. Control characters are escaped as
 * in errpipe_message(). An explanation of NULL gives an empty line. No line contains phrases that container tools parse
 * as an errno.
 */

/* What is wrong: "its interpreter /bin/bash is missing". */
size_t errpipe_finding(char *buf, size_t size, const struct errpipe_explanation *explanation);

/* What to do about it: "install bash, or change the first line of ./x". */
size_t errpipe_advice(char *buf, size_t size, const struct errpipe_explanation *explanation);

/* What a link of the chain is: "ELF 64-bit, aarch64, dynamic, mode 0755", or, for the broken one, what is wrong. */
size_t errpipe_link_words(char *buf, size_t size, const struct errpipe_explanation *explanation, int link);

/* The name of a cause, as in JSON: "loader-missing". Names are stable. NULL for a number that is none. */
const char *errpipe_cause_name(enum errpipe_cause cause);

/* "certain", "likely" or "unknown". NULL for a number that is none. */
const char *errpipe_certainty_name(enum errpipe_certainty certainty);

#ifdef __cplusplus
}
#endif

#endif
