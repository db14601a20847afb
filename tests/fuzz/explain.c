/* SPDX-License-Identifier: MIT */
/*
 * errpipe_explain() on any directory tree with any bytes in its files, for libFuzzer. The input describes the tree and the question:
 *
 *	options (1 byte), identity (1), errno (1), number of entries (1), then for each entry
 *		kind (1): one of makers[]
 *		place (1): one of names[]
 *		mode (1), size (2, little-endian), that many bytes: the content, the link's target, or the description of an ELF
 *		file, a list or a set
 *	the rest: the path; after a byte of 1: PATH; after another: a variable of the environment
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "explain/kernel/kernel.h"
#include "fuzz.h"

enum { CWD = 1, WHO = 2, FAILED = 4, MOUNT = 8, ARGS = 16, KILLED = 32, SOURCE = 64, LARGE = 128 };
enum { UID = 15, CAPABLE = 16, NO_NEW_PRIVS = 32, IN_GROUPS = 64, UNBOUND = 128 };
enum { STUB_ERRNO = 192 /* from here on: an errno of the stub's exec */ };
enum { SET_IDS = 64, OWN_MODE = 128 };
enum { MAX_ENTRIES = 16, MAX_FILE = 1 << 14, LARGE_ARGUMENT = 1 << 18 };

static const char *const names[] = {
	"a",   "b",   "c",     "d",	"bin",		"bin/sh",
	"lib", "usr", "bin/x", "lib/l", "a/b",		"a/b/c",
	"l",   "d/e", "lib64", "proc",	"bin/qemu",	"lib/ld-musl-x86_64.so.1",
	"m",   "m/x", "usr/b", "\xff",	"a\033[31mred", "lib64/ld-linux-x86-64.so.2",
};

/*
 * All trees are in the fuzzer's directory. Beside them is a script that must not be reachable from any tree: only this one has the
 * secret interpreter.
 */
static char secret[3 + 16 + 1];
static int root = -1;

static void prepare(void)
{
	uint64_t number;
	int length;
	char script[32];

	if (root >= 0)
		return;
	root = make_base();
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		give_up("getrandom");
	snprintf(secret, sizeof(secret), "/%016llx", (unsigned long long)number);
	length = snprintf(script, sizeof(script), "#!%s\n", secret);
	if (!put_file(root, "a", script, length, 0755))
		give_up("a");
	umask(0);
}

static int unlock(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_D || type == FTW_DNR)
		chmod(path, 0700);
	return 0;
}

static void remove_tree(const char *tree)
{
	nftw(tree, unlock, 16, FTW_PHYS);
	nftw(tree, remove_it, 16, FTW_DEPTH | FTW_PHYS);
}

static char *path_of(const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s", base, name) < 0)
		give_up("asprintf");
	return path;
}

/* --- the entries: name is relative to the fuzzer's directory. An entry that cannot be made is left out --------- */

/* Usually executable, because the rest of the chain is only inspected if this file is. */
static mode_t mode_of(unsigned kind, unsigned mode)
{
	return (mode & OWN_MODE ? mode & 0777 : 0755) | (kind & SET_IDS ? 06000 : 0);
}

/* The sticky bit replaces the set-id bits. */
static void make_directory(const char *name, struct input *content, mode_t mode)
{
	(void)content;
	if (mkdirat(root, name, 0755) == 0 && mode != 0755)
		fchmodat(root, name, (mode & 0777) | (mode & 06000 ? 01000 : 0), 0);
}

static void make_file(const char *name, struct input *content, mode_t mode)
{
	put_file(root, name, content->bytes, content->size, mode);
}

static void make_link(const char *name, struct input *content, mode_t mode)
{
	char *target = string_of(content);
	int ret = symlinkat(target, root, name);

	(void)mode;
	(void)ret;
	free(target);
}

static void make_fifo(const char *name, struct input *content, mode_t mode)
{
	(void)content;
	mkfifoat(root, name, mode);
}

static uint64_t take_number(struct input *content)
{
	static const uint64_t numbers[] = { 0, 1, 64, 120, 4096, 0x400000, UINT64_C(1) << 46, UINT64_MAX };
	unsigned which = take(content);

	return numbers[which % 8] + (which >> 3);
}

struct elf {
	Elf64_Ehdr header;
	Elf64_Phdr segment[4];
	char loader[64];
};

static void make_segment(struct elf *elf, Elf64_Phdr *segment, struct input *content)
{
	static const char *const loaders[] = { "/lib64/ld-linux-x86-64.so.2",
					       "/lib/ld-musl-x86_64.so.1",
					       "/lib/l",
					       "/a",
					       "",
					       "/lib/ld-linux-aarch64.so.1",
					       "/system/bin/linker64",
					       "/lib/ld-musl-x.so.1" };

	segment->p_type = take(content) % 4;
	segment->p_flags = take(content);
	segment->p_offset = take_number(content);
	segment->p_vaddr = take_number(content);
	segment->p_filesz = take_number(content);
	segment->p_memsz = take_number(content);
	if (segment->p_type != PT_INTERP)
		return;
	strcpy(elf->loader, loaders[take(content) % 8]);
	segment->p_offset = offsetof(struct elf, loader);
	segment->p_filesz = strlen(elf->loader) + 1;
}

/* The headers are usually correct. */
static void make_elf(const char *name, struct input *content, mode_t mode)
{
	static const unsigned short machines[] = { EM_X86_64, EM_X86_64, EM_386,  EM_AARCH64,
						   EM_ARM,    EM_MIPS,	 EM_S390, 0 };
	struct elf elf = {
		.header = { .e_ident = ELFMAG, .e_phoff = sizeof(elf.header), .e_phentsize = sizeof(Elf64_Phdr) }
	};
	unsigned kind = take(content);

	elf.header.e_ident[EI_CLASS] = kind & 1 ? ELFCLASS32 : ELFCLASS64;
	elf.header.e_ident[EI_DATA] = kind & 2 ? ELFDATA2MSB : ELFDATA2LSB;
	elf.header.e_type = kind & 4 ? take(content) % 6 : kind & 8 ? ET_DYN : ET_EXEC;
	elf.header.e_machine = machines[kind >> 5];
	elf.header.e_entry = take_number(content);
	elf.header.e_phnum = take(content) % 5;
	for (int i = 0; i < elf.header.e_phnum; i++)
		make_segment(&elf, &elf.segment[i], content);
	put_file(root, name, &elf, kind & 16 ? sizeof(elf) - take(content) : sizeof(elf), mode);
}

/* Fails if the fuzzer lacks the rights, or if the file system lacks attributes. */
static void set_attribute(const char *name, const char *attribute, const void *value, size_t size)
{
	char *path = path_of(name);

	lsetxattr(path, attribute, value, size, 0);
	free(path);
}

/* acl(5), in the format of linux/posix_acl_xattr.h. */
static void make_acl(const char *name, struct input *content, mode_t mode)
{
	static const unsigned char tags[] = { 1, 2, 4, 8, 16, 32 };
	unsigned char list[4 + 8 * sizeof(tags)] = { 2 }, *p = list + 4;

	(void)mode;
	for (size_t i = 0; i < sizeof(tags); i++) {
		bool named = tags[i] == 2 || tags[i] == 8;
		unsigned what = take(content), id = named ? what >> 4 : UINT32_MAX;

		if (named && what & 8)
			continue;
		memcpy(p, (unsigned char[]){ tags[i], 0, what & 7, 0, id, id >> 8, id >> 16, id >> 24 }, 8);
		p += 8;
	}
	set_attribute(name, "system.posix_acl_access", list, p - list);
}

/* struct vfs_cap_data in linux/capability.h, version 2. */
static void make_capabilities(const char *name, struct input *content, mode_t mode)
{
	unsigned char set[20] = { mode & 1, 0, 0, 2 };
	struct input part = take_part(content, 16);

	if (part.size)
		memcpy(set + 4, part.bytes, part.size);
	set_attribute(name, "security.capability", set, sizeof(set));
}

/* Changing the owner clears set-id bits, so set the mode last. The mode of a link cannot be set. */
static void make_owner(const char *name, struct input *content, mode_t mode)
{
	unsigned uid = take(content) & UID, gid = take(content) & UID;
	struct stat st;

	if (fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISLNK(st.st_mode))
		return;
	if (fchownat(root, name, uid, gid, AT_SYMLINK_NOFOLLOW) == 0)
		fchmodat(root, name, mode, 0);
}

/* The file stays open for writing until explain has finished. */
static int writer = -1;

static void make_busy(const char *name, struct input *content, mode_t mode)
{
	make_file(name, content, mode);
	if (writer < 0)
		writer = openat(root, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static void (*const makers[])(const char *name, struct input *content, mode_t mode) = {
	make_directory, make_directory, make_file, make_file, make_file, make_link,	    make_link,	make_fifo,
	make_elf,	make_elf,	make_elf,  make_acl,  make_acl,	 make_capabilities, make_owner, make_busy,
};

static void make_entry(struct input *input)
{
	unsigned kind = take(input), place = take(input), mode = take(input);
	struct input content = take_part(input, take_16(input) % MAX_FILE);
	char name[64];

	snprintf(name, sizeof(name), "root/%s", names[place % (sizeof(names) / sizeof(*names))]);
	makers[kind % 16](name, &content, mode_of(kind, mode));
}

/* --- conditions for the explanation --------------------------------------------------------------------------- */

/* libFuzzer would learn the name from a comparison that it instruments, such as strcmp(3). */
static int is_secret(const char *path)
{
	size_t i;

	for (i = 0; secret[i] && path[i]; i++) {
		if (secret[i] ^ path[i])
			return 0;
	}
	return !secret[i];
}

static void check_string(const struct errpipe_explanation *ex, const char *string)
{
	const char *begin = ex->strings, *end = ex->strings + sizeof(ex->strings);

	if (!string || string < begin || string >= end)
		return;
	must(memchr(string, '\0', end - string) != NULL, "a string ends");
}

static size_t finding(char *buf, size_t size, const void *of)
{
	return errpipe_finding(buf, size, of);
}

static size_t advice(char *buf, size_t size, const void *of)
{
	return errpipe_advice(buf, size, of);
}

static int link_to_write;

static size_t link_words(char *buf, size_t size, const void *of)
{
	return errpipe_link_words(buf, size, of, link_to_write);
}

static void check_words(const struct errpipe_explanation *ex)
{
	char *line = line_of(finding, ex, 64);

	must(errpipe_cause_name(ex->cause) != NULL, "the cause has a name");
	must(errpipe_certainty_name(ex->certainty) != NULL, "the certainty has a name");
	must(*line, "the finding is not empty");
	free(line);
	free(line_of(advice, ex, 7));
	for (link_to_write = 0; link_to_write < ex->links; link_to_write++)
		free(line_of(link_words, ex, 0));
}

static void check(const struct errpipe_explanation *ex)
{
	must(ex->links >= 0 && ex->links <= ERRPIPE_LINKS_MAX, "the chain has an end");
	must(ex->broken >= -1 && ex->broken < ex->links, "the broken link is in the chain");
	must(ex->strings_used <= sizeof(ex->strings), "the strings fit");
	must(!ex->looking_at, "explain has finished");
	must(!ex->works || !ex->error, "a working exec has no errno");
	must(ex->cause != ERRPIPE_CAUSE_NONE || ex->works, "a failing exec has a cause");
	check_string(ex, ex->subject);
	check_string(ex, ex->object);
	check_string(ex, ex->handler);
	for (int i = 0; i < ex->writers.count; i++)
		check_string(ex, ex->writers.writer[i].name);
	must(ex->denied.as || !ex->denied.mode, "a file that denies nothing has no class");
	for (int i = 0; i < ex->links; i++) {
		const struct errpipe_link *link = &ex->link[i];

		must(link->path != NULL, "a link has a path");
		check_string(ex, link->path);
		check_string(ex, link->resolved);
		check_string(ex, link->argument);
		must(!is_secret(link->path), "nothing leads out of the root");
	}
	check_words(ex);
}

/* --- the question --------------------------------------------------------------------------------------------- */

/* An identity other than the caller's. */
static struct errpipe_who who_of(unsigned identity)
{
	static const gid_t groups[] = { 3, 7 };

	return (struct errpipe_who){ .uid = identity & UID,
				     .gid = identity & UID,
				     .groups = groups,
				     .groups_count = identity & IN_GROUPS ? 2 : 0,
				     .effective = identity & CAPABLE ? ~0ULL : 0,
				     .inheritable = identity & CAPABLE ? ~0ULL : 0,
				     .bounding = identity & UNBOUND ? 0 : ~0ULL,
				     .no_new_privs = identity & NO_NEW_PRIVS };
}

static struct errpipe_report report_of(unsigned options, unsigned error)
{
	if (options & KILLED)
		return (struct errpipe_report){ .verdict = ERRPIPE_STARTED, .status = error % 2 ? 7 : 11 };
	if (error >= STUB_ERRNO)
		return (struct errpipe_report){ .verdict = ERRPIPE_SETUP_FAILED,
						.step = ERRPIPE_STEP_STUB,
						.error = error - STUB_ERRNO,
						.status = -1 };
	return (struct errpipe_report){ .verdict = ERRPIPE_EXEC_FAILED, .error = error, .status = -1 };
}

static char *large_argument(void)
{
	static char argument[LARGE_ARGUMENT];

	memset(argument, 'x', sizeof(argument) - 1);
	return argument;
}

static void explain(const struct errpipe_question *question)
{
	static struct errpipe_explanation explanation;
	int descriptor = lowest_free();

	must(errpipe_explain(&explanation, question) == 0, "errpipe_explain() succeeds");
	must(lowest_free() == descriptor, "no descriptor is left");
	check(&explanation);
}

/* Cuts the text at a byte 1. Returns the part after it, or NULL. */
static char *part_after(char *text)
{
	char *end = text ? strchr(text, '\1') : NULL;

	if (end)
		*end++ = '\0';
	return end;
}

static void ask(unsigned options, unsigned identity, unsigned error, char *path)
{
	char *search_path = part_after(path), *variable = part_after(search_path);
	char *variables[] = { "HOME=/a", variable, NULL };
	struct errpipe_who who = who_of(identity);
	struct errpipe_report report = report_of(options, error);
	char *args[] = { path, options & LARGE ? large_argument() : NULL, NULL };
	struct errpipe_mount mounts[] = { { .at = "/m", .source = -1, .noexec = 1 },
					  { .at = "/usr/./b/", .nosuid = 1, .noexec = !!(identity & IN_GROUPS) },
					  { .at = "b", .masked = 1 } };
	struct errpipe_question question = { .path = path, .search_path = search_path, .mounts = mounts };

	question.root = openat(root, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	mounts[1].source = openat(root, "root/a", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	question.cwd = options & CWD ? "/a" : NULL;
	question.who = options & WHO ? &who : NULL;
	question.report = options & (FAILED | KILLED) ? &report : NULL;
	question.argv = question.envp = options & ARGS ? args : NULL;
	if (search_path)
		question.envp = variables;
	question.mounts_count = options & SOURCE ? 2 + !!(options & MOUNT) : options & MOUNT ? 1 : 0;
	explain(&question);
	close(question.root);
	if (mounts[1].source >= 0)
		close(mounts[1].source);
}

/* Avoids a process for each input. */
enum ep_answer __wrap_ep_runs(const struct errpipe_link *link, uint32_t flags)
{
	must(ep_support(link) == EP_COMPATIBLE, "only COMPATIBLE programs are tried");
	return flags % 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size };
	unsigned options = take(&input), identity = take(&input), error = take(&input), entries = take(&input);
	char *path, *tree;

	prepare();
	tree = path_of("root");
	if (mkdir(tree, 0755) < 0)
		give_up(tree);
	for (unsigned i = 0; i < entries % MAX_ENTRIES; i++)
		make_entry(&input);
	path = string_of(&input);
	ask(options, identity, error, path);
	if (writer >= 0)
		close(writer);
	writer = -1;
	remove_tree(tree);
	free(tree);
	free(path);
	return 0;
}
