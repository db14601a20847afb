/* SPDX-License-Identifier: MIT */
/* Explanations of ELF files, compared with the kernel. */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "child.h"
#include "explain/kernel/kernel.h"
#include "fixture.h"
#include "rounds.h"
#include "skip.h"
#include "said.h"
#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* --- files ------------------------------------------------------------------------------------ */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { OWN_ORDER = ELFDATA2LSB, OTHER_ORDER = ELFDATA2MSB };
#else
enum { OWN_ORDER = ELFDATA2MSB, OTHER_ORDER = ELFDATA2LSB };
#endif
enum { OWN_CLASS = sizeof(long) == 8 ? ELFCLASS64 : ELFCLASS32 };

enum {
	PAGE = 0x10000, /* the largest page size */
	FILE_SIZE = 3 * PAGE,
	NAME_AT = 0x800,
	CODE_AT = 0xc00,
	BASE = 0x10000000
};

struct segment {
	uint32_t type, flags;
	uint64_t offset, address, file_size, memory_size;
};

/* A description of an ELF file. A size of 0 stands for the correct one. */
struct image {
	unsigned class, order, machine, type, phentsize;
	uint64_t entry, phoff;
	int count; /* -1: the number of segments */
	struct segment segment[4];
	uint64_t alignment[4]; /* of each segment; 0: a page */
	const char *loader;
	size_t size; /* of the file */
};

static const char *fixture;

static void put(unsigned char *at, int size, unsigned order, uint64_t value)
{
	for (int i = 0; i < size; i++)
		at[order == ELFDATA2MSB ? size - 1 - i : i] = value >> (8 * i);
}

/* Both classes have the same fields in different order. Offsets and sizes are from elf(5). */
static void put_segment(unsigned char *at, const struct image *image, const struct segment *segment)
{
	unsigned order = image->order;

	put(at, 4, order, segment->type);
	if (image->class == ELFCLASS64) {
		put(at + 4, 4, order, segment->flags);
		put(at + 8, 8, order, segment->offset);
		put(at + 16, 8, order, segment->address);
		put(at + 32, 8, order, segment->file_size);
		put(at + 40, 8, order, segment->memory_size);
		put(at + 48, 8, order, 0x1000);
	} else {
		put(at + 4, 4, order, segment->offset);
		put(at + 8, 4, order, segment->address);
		put(at + 16, 4, order, segment->file_size);
		put(at + 20, 4, order, segment->memory_size);
		put(at + 24, 4, order, segment->flags);
		put(at + 28, 4, order, 0x1000);
	}
}

static int segments(const struct image *image)
{
	int count = 0;

	while (count < (int)COUNT(image->segment) && image->segment[count].type)
		count++;
	return count;
}

/* Call exit(0), which distinguishes a program that started from one that was killed. */
static void put_code(unsigned char *at, unsigned machine)
{
	if (machine == EM_X86_64)
		memcpy(at, "\x31\xff\xb8\x3c\0\0\0\x0f\x05", 9);
	if (machine == EM_386)
		memcpy(at, "\x31\xdb\xb8\x01\0\0\0\xcd\x80", 9);
}

static unsigned char *bytes_of(const struct image *image)
{
	unsigned char *bytes = keep(calloc(1, FILE_SIZE));
	bool wide = image->class == ELFCLASS64;
	int count = segments(image), header = wide ? 64 : 52, size = wide ? 56 : 32;
	unsigned order = image->order;

	memcpy(bytes, ELFMAG, SELFMAG);
	bytes[EI_CLASS] = image->class;
	bytes[EI_DATA] = order;
	bytes[EI_VERSION] = EV_CURRENT;
	put(bytes + 16, 2, order, image->type);
	put(bytes + 18, 2, order, image->machine);
	put(bytes + 20, 4, order, EV_CURRENT);
	put(bytes + 24, wide ? 8 : 4, order, image->entry);
	put(bytes + (wide ? 32 : 28), wide ? 8 : 4, order, image->phoff ? image->phoff : (unsigned)header);
	put(bytes + (wide ? 48 : 36), 4, order, image->machine == EM_ARM ? 0x5000400 : 0);
	put(bytes + (wide ? 52 : 40), 2, order, header);
	put(bytes + (wide ? 54 : 42), 2, order, image->phentsize ? image->phentsize : (unsigned)size);
	put(bytes + (wide ? 56 : 44), 2, order, image->count >= 0 ? image->count : count);
	for (int i = 0; i < count; i++) {
		unsigned char *at = bytes + header + i * size;

		put_segment(at, image, &image->segment[i]);
		if (image->alignment[i])
			put(at + (wide ? 48 : 28), wide ? 8 : 4, order, image->alignment[i]);
	}
	if (image->loader)
		strcpy((char *)bytes + NAME_AT, image->loader);
	put_code(bytes + CODE_AT, image->machine);
	return bytes;
}

static char *path_of(const char *name)
{
	char *path;

	return keep(asprintf(&path, "%s/%s", fixture, name) < 0 ? NULL : path);
}

static char *write_file(const char *name, const void *bytes, size_t size)
{
	char *path = path_of(name);
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), size);
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	close(fd);
	return path;
}

static char *write_image(const char *name, const struct image *image)
{
	return write_file(name, bytes_of(image), image->size);
}

/* This and movable() are the smallest programs that start. */
static struct image fixed(void)
{
	return (struct image){
		.class = OWN_CLASS,
		.order = OWN_ORDER,
		.machine = own_machine(),
		.type = ET_EXEC,
		.entry = BASE + CODE_AT,
		.count = -1,
		.segment = { { PT_LOAD, PF_R | PF_X, 0, BASE, 0x1000, 0x1000 } },
		.size = FILE_SIZE,
	};
}

static struct image movable(void)
{
	struct image image = fixed();

	image.type = ET_DYN;
	image.segment[0].address = 0;
	image.entry = CODE_AT;
	return image;
}

static struct image with_loader(const char *loader)
{
	struct image image = movable();

	image.segment[1] = image.segment[0];
	image.segment[0] = (struct segment){ PT_INTERP, PF_R, NAME_AT, 0, strlen(loader) + 1, 0 };
	image.loader = loader;
	return image;
}

/* A program of 32 bits for x86-64. */
static struct image fixed_i386(void)
{
	struct image image = fixed();

	image.class = ELFCLASS32;
	image.order = ELFDATA2LSB;
	image.machine = EM_386;
	return image;
}

/* --- the explanation -------------------------------------------------------------------------- */

static struct errpipe_explanation ex;
static struct errpipe_question question;

static void begin(struct ep_check *c)
{
	struct errpipe_identity identity;

	memset(&ex, 0, offsetof(struct errpipe_explanation, strings));
	ex.works = 1;
	ex.broken = -1;
	ex.certainty = ERRPIPE_CERTAIN;
	ck_assert_int_eq(errpipe_identity(&identity), 0);
	*c = (struct ep_check){ .question = &question, .ex = &ex, .root = open("/", O_PATH | O_CLOEXEC) };
	c->who.uid = identity.euid;
	c->who.effective = identity.effective;
	c->who.bounding = identity.bounding;
	ck_assert_int_ge(c->root, 0);
}

/* Stands in for ep_find() and ep_open(): on a bad path stat(2) fails like an exec. Returns 0 or an errno. */
static int open_link(struct errpipe_link *link, int *fd, struct ep_head *head)
{
	struct stat st;
	ssize_t n;

	memset(head, 0, sizeof(*head));
	if (stat(link->path, &st) < 0)
		return errno;
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return EACCES;
	*fd = open(link->path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return errno;
	n = pread(*fd, head->bytes, sizeof(head->bytes), 0);
	ck_assert_int_ge(n, 0);
	head->size = n;
	link->size = st.st_size;
	link->mode = st.st_mode;
	link->format = ep_format(head);
	return 0;
}

static int look_inside(struct ep_check *c, struct errpipe_link *link, int fd, const struct ep_head *head,
		       struct ep_next *next)
{
	if (link->format == ERRPIPE_FORMAT_SCRIPT)
		return ep_script(c, link, head, next);
	if (link->format == ERRPIPE_FORMAT_ELF)
		return ep_elf(c, link, fd, head, next);
	return ep_no_format(c, link);
}

/* The walk of explain.c over simple paths. Returns the predicted errno, which is 0 even if the kernel kills the program. */
static int predict(const char *path)
{
	struct ep_next next = { ERRPIPE_LINK_PROGRAM, path, false };
	struct ep_head head[2];
	struct errpipe_link *link;
	int fd[2] = { -1, -1 }, error = 0, depth = 0, ret = 0;
	struct ep_check c;

	begin(&c);
	do {
		if (fd[0] >= 0)
			close(fd[0]);
		fd[0] = -1;
		link = &ex.link[ex.links++];
		link->parent = ex.links - 2;
		link->kind = next.kind;
		link->path = next.path;
		next.kind = 0;
		error = open_link(link, &fd[0], &head[0]);
		if (!error && depth++ > 5)
			error = ELOOP;
		if (!error)
			ret = look_inside(&c, link, fd[0], &head[0], &next);
	} while (!error && ret == 0 && next.kind && next.kind != ERRPIPE_LINK_LOADER);
	if (!error && ret == 0 && next.kind) {
		link = &ex.link[ex.links++];
		link->parent = ex.links - 2;
		link->kind = next.kind;
		link->path = next.path;
		error = open_link(link, &fd[1], &head[1]);
		if (!error)
			ret = ep_elf_loader(&c, link, fd[1], &head[1]);
	}
	if (!error && ret == 0)
		ret = ep_elf_segments(&c, &ex.link[next.kind ? ex.links - 2 : ex.links - 1], fd[0], &head[0]);
	if (!error && ret == 0 && next.kind)
		ret = ep_elf_segments(&c, link, fd[1], &head[1]);
	ck_assert_int_eq(ret, ex.cause ? -1 : 0);
	for (int i = 0; i < 2; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
	}
	close(c.root);
	return error ? error : ex.error;
}

/* --- the kernel ------------------------------------------------------------------------------- */

struct outcome {
	int error; /* errno of the exec, or 0 if the program started */
	int status;
	bool killed; /* by the kernel during the exec, which only a tracer can see */
};

static rlim_t data_space; /* RLIMIT_DATA; 0: unchanged */

/* The limits end a program that runs wild. */
static void exec_it(const char *path, int report, rlim_t address_space)
{
	const struct rlimit none = { 0, 0 }, second = { 1, 1 }, space = { address_space, address_space },
			    data = { data_space, data_space };
	char *const argv[] = { (char *)path, NULL }, *const envp[] = { NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), error;

	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_CPU, &second);
	alarm(3);
	if (address_space)
		setrlimit(RLIMIT_AS, &space);
	if (data_space)
		setrlimit(RLIMIT_DATA, &data);
	if (getenv("ERRPIPE_MUTATIONS"))
		ptrace(PTRACE_TRACEME, 0, 0, 0);
	execve(path, argv, envp);
	error = errno;
	if (write(report, &error, sizeof(error)) < 0)
		_exit(1);
	_exit(0);
}

/* A traced process stops once it has become the program. */
static int wait_for_traced(pid_t pid, bool *started)
{
	int status = wait_for(pid);

	*started = WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
	while (WIFSTOPPED(status)) {
		int signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);

		ptrace(PTRACE_CONT, pid, 0, (long)signal);
		status = wait_for(pid);
	}
	return status;
}

static struct outcome try_with(const char *path, rlim_t address_space)
{
	struct outcome outcome = { 0, 0, false };
	int report[2];
	bool started;
	ssize_t n;
	pid_t pid;

	make_pipe(report);
	pid = checked_fork();
	if (pid == 0)
		exec_it(path, report[1], address_space);
	close(report[1]);
	outcome.status = wait_for_traced(pid, &started);
	n = read(report[0], &outcome.error, sizeof(outcome.error));
	ck_assert(n == 0 || n == sizeof(outcome.error));
	close(report[0]);
	outcome.killed = !started && !outcome.error && WIFSIGNALED(outcome.status);
	return outcome;
}

static struct outcome try(const char *path)
{
	return try_with(path, 0);
}

/* --- the fixture ------------------------------------------------------------------------------ */

static bool begins_with(const char *text, const char *begin)
{
	return strncmp(text, begin, strlen(begin)) == 0;
}

/* Try every file of the fixture that we may read, except those with file capabilities. */
START_TEST(whatever_the_fixture_has)
{
	DIR *directory = opendir(fixture);
	struct dirent *entry;
	int count = 0;

	ck_assert_ptr_nonnull(directory);
	while ((entry = readdir(directory))) {
		const char *path = path_of(entry->d_name);
		struct outcome outcome;
		struct stat st;

		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || access(path, R_OK) < 0 ||
		    begins_with(entry->d_name, "file-capability"))
			continue;
		outcome = try(path);
		ck_assert_msg(predict(path) == outcome.error, "%s: the kernel says %d, we say %d (%s)", entry->d_name,
			      outcome.error, ex.error, errpipe_cause_name(ex.cause));
		count++;
	}
	closedir(directory);
	ck_assert_int_gt(count, 80);
}
END_TEST

static const struct {
	const char *name;
	enum errpipe_cause cause;
	int broken;
	const char *words;
	uint64_t number, limit; /* -1: any value */
} fixtures[] = {
	{ "elf-good", ERRPIPE_CAUSE_NONE, -1, NULL, 0, 0 },
	{ "elf-other-machine", ERRPIPE_CAUSE_OTHER_ARCHITECTURE, 0, NULL, -1, -1 },
	{ "elf-other-class", ERRPIPE_CAUSE_OTHER_ARCHITECTURE, 0, NULL, -1, -1 },
	{ "elf-other-byte-order", ERRPIPE_CAUSE_OTHER_ARCHITECTURE, 0, NULL, -1, -1 },
	{ "elf-relocatable", ERRPIPE_CAUSE_OBJECT_FILE, 0, NULL, ET_REL, 0 },
	{ "elf-core", ERRPIPE_CAUSE_CORE_DUMP, 0, NULL, ET_CORE, 0 },
	{ "elf-magic-only", ERRPIPE_CAUSE_TRUNCATED_ELF, 0, NULL, 4, -1 },
	{ "elf-cut-in-header", ERRPIPE_CAUSE_TRUNCATED_ELF, 0, NULL, 40, -1 },
	{ "elf-cut-in-phdrs", ERRPIPE_CAUSE_TRUNCATED_ELF, 0, NULL, -1, -1 },
	{ "elf-no-phdrs", ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS, 0, "has no program headers", -1, -1 },
	{ "elf-many-phdrs", ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS, 0, NULL, -1, -1 },
	{ "elf-phentsize", ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS, 0,
	  sizeof(long) == 8 ? "program headers of size 57 instead of 56" : "program headers of size 33 instead of 32",
	  -1, -1 },
	{ "elf-loader-name-short", ERRPIPE_CAUSE_BAD_LOADER_NAME, 0, "it has 1 byte, and the kernel requires 2", 1,
	  0 },
	{ "elf-loader-name-huge", ERRPIPE_CAUSE_BAD_LOADER_NAME, 0, "it has 5000 bytes, more than 4096", 5000, 4096 },
	{ "elf-loader-name-no-nul", ERRPIPE_CAUSE_BAD_LOADER_NAME, 0, "it is not NUL-terminated", -1, 0 },
	{ "elf-loader-name-past-end", ERRPIPE_CAUSE_TRUNCATED_ELF, 0, NULL, -1, -1 },
	{ "elf-loader-name-empty", ERRPIPE_CAUSE_BAD_LOADER_NAME, 0, "it is empty", -1, 0 },
	{ "elf-loader-empty", ERRPIPE_CAUSE_LOADER_TOO_SHORT, 1, NULL, 0, 0 },
	{ "elf-loader-short", ERRPIPE_CAUSE_LOADER_TOO_SHORT, 1, NULL, 25, 0 },
	{ "elf-loader-garbage", ERRPIPE_CAUSE_LOADER_INVALID, 1, "text", 0, 0 },
	{ "elf-loader-script", ERRPIPE_CAUSE_LOADER_INVALID, 1, "a script", 0, 0 },
	{ "elf-loader-other-machine", ERRPIPE_CAUSE_LOADER_OTHER_ARCHITECTURE, 1, NULL, 0, 0 },
	{ "elf-loader-cut", ERRPIPE_CAUSE_LOADER_INVALID, 1, "is an ELF file with its end cut off", 0, 0 },
	{ "script-foreign", ERRPIPE_CAUSE_OTHER_ARCHITECTURE, 1, NULL, -1, -1 },
	{ "script-text", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 1, NULL, 0, 0 },
	{ "script-empty", ERRPIPE_CAUSE_EMPTY_FILE, 1, NULL, 0, 0 },
	{ "empty", ERRPIPE_CAUSE_EMPTY_FILE, 0, NULL, 0, 0 },
	{ "text", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, 0, 0 },
	{ "one-byte", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, 0, 0 },
	{ "zeros", ERRPIPE_CAUSE_UNKNOWN_FORMAT, 0, NULL, 0, 0 },
	{ "bom", ERRPIPE_CAUSE_BYTE_ORDER_MARK, 0, NULL, 0, 0 },
	{ "utf-16", ERRPIPE_CAUSE_UTF_16, 0, NULL, 0, 0 },
	{ "space-before", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, 0, 0 },
	{ "html", ERRPIPE_CAUSE_NO_INTERPRETER_LINE, 0, NULL, 0, 0 },
	{ "gzip", ERRPIPE_CAUSE_ARCHIVE, 0, "a gzip archive", 0, 0 },
	{ "pe", ERRPIPE_CAUSE_WINDOWS_PROGRAM, 0, NULL, 0, 0 },
	{ "mach-o", ERRPIPE_CAUSE_MACOS_PROGRAM, 0, NULL, 0, 0 },
	{ "archive", ERRPIPE_CAUSE_ARCHIVE, 0, "an ar archive", 0, 0 },
};

START_TEST(what_is_said_of_the_fixture)
{
	predict(path_of(fixtures[_i].name));
	ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(fixtures[_i].cause));
	ck_assert_int_eq(ex.broken, fixtures[_i].broken);
	/* Without an attempt the cause is only likely, because the host may have a binfmt_misc that is not visible here. */
	ck_assert_int_eq(ex.certainty == ERRPIPE_LIKELY,
			 ex.cause == ERRPIPE_CAUSE_OTHER_ARCHITECTURE && ex.binfmt == ERRPIPE_BINFMT_NOT_MOUNTED);
	ck_assert_int_eq(ex.works, fixtures[_i].cause == ERRPIPE_CAUSE_NONE);
	if (fixtures[_i].number != (uint64_t)-1)
		ck_assert_uint_eq(ex.number, fixtures[_i].number);
	if (fixtures[_i].limit != (uint64_t)-1)
		ck_assert_uint_eq(ex.limit, fixtures[_i].limit);
	if (fixtures[_i].words)
		assert_said(&ex, fixtures[_i].words);
}
END_TEST

/* --- before the point of no return ------------------------------------------------------------ */

static void assert_agrees(const char *path, int error, enum errpipe_cause cause)
{
	struct outcome outcome = try(path);

	ck_assert_int_eq(outcome.error, error);
	ck_assert_int_eq(predict(path), error);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(cause));
	ck_assert_int_eq(ex.works, cause == ERRPIPE_CAUSE_NONE);
}

static bool kernel_is_before(int major, int minor)
{
	struct utsname uts;
	int own_major = 0, own_minor = 0;

	ck_assert_int_eq(uname(&uts), 0);
	ck_assert_int_eq(sscanf(uts.release, "%d.%d", &own_major, &own_minor), 2);
	return own_major < major || (own_major == major && own_minor < minor);
}

/* Since Linux 6.17 the headers may be larger than a page. */
static unsigned most_headers(unsigned size)
{
	long page = sysconf(_SC_PAGESIZE);

	return (page < 65536 && kernel_is_before(6, 17) ? page : 65536) / size;
}

START_TEST(as_many_headers_as_there_may_be)
{
	struct image image = fixed();

	image.count = most_headers(OWN_CLASS == ELFCLASS64 ? 56 : 32);
	assert_agrees(write_image("headers", &image), 0, ERRPIPE_CAUSE_NONE);
	image.count++;
	assert_agrees(write_image("headers", &image), ENOEXEC, ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS);
}
END_TEST

/* All headers are read, including the last one, which is in another chunk than the first. */
START_TEST(a_loader_that_is_named_last)
{
	struct image image = with_loader("/nowhere");
	struct image other = image;
	unsigned size = OWN_CLASS == ELFCLASS64 ? 56 : 32, count = most_headers(size);
	unsigned char *bytes, *to;

	image.segment[0] = image.segment[1];
	image.segment[1].type = 0;
	image.count = count;
	image.phoff = 0x4000;
	bytes = bytes_of(&image);
	to = bytes + image.phoff;
	for (unsigned i = 0; i < count; i++)
		put_segment(to + i * size, &image, &(struct segment){ 0 });
	put_segment(to, &image, &other.segment[1]);
	put_segment(to + (count - 1) * size, &image, &other.segment[0]);
	assert_agrees(write_file("last", bytes, FILE_SIZE), ENOENT, ERRPIPE_CAUSE_NONE);
	ck_assert_int_eq(ex.links, 2);
	ck_assert_str_eq(ex.link[1].path, "/nowhere");
	ck_assert_int_ne(ex.link[0].dynamic, 0);
}
END_TEST

START_TEST(headers_at_impossible_places)
{
	static const uint64_t places[] = { INT64_MAX,  INT64_MAX - 55, (uint64_t)INT64_MAX + 1,
					   UINT64_MAX, 1 << 30,	       0xffffffff };
	struct image image = fixed();
	int error;

	image.phoff = places[_i];
	error = try(write_image("place", &image)).error;
	ck_assert_int_eq(error, ENOEXEC);
	ck_assert_int_eq(predict(path_of("place")), ENOEXEC);
}
END_TEST

START_TEST(loader_names_at_impossible_places)
{
	static const uint64_t places[] = { INT64_MAX,  INT64_MAX - 8, INT64_MAX - 9, (uint64_t)INT64_MAX + 1,
					   UINT64_MAX, 1 << 30,	      0xffffffff };
	struct image image = with_loader("/nowhere");
	int error;

	image.segment[0].offset = places[_i];
	error = try(write_image("place", &image)).error;
	ck_assert_int_eq(predict(path_of("place")), error);
	ck_assert_int_eq(ex.cause, error == EIO ? ERRPIPE_CAUSE_TRUNCATED_ELF : ERRPIPE_CAUSE_BAD_LOADER_NAME);
}
END_TEST

/* --- programs of other machines --------------------------------------------------------------- */

static const struct {
	unsigned class, order, machine;
	const char *architecture;
} foreign[] = {
	{ ELFCLASS32, ELFDATA2MSB, EM_MIPS, "mips" },	{ ELFCLASS32, ELFDATA2LSB, EM_MIPS, "mipsel" },
	{ ELFCLASS64, ELFDATA2MSB, EM_MIPS, "mips64" }, { ELFCLASS64, ELFDATA2LSB, EM_PPC64, "ppc64le" },
	{ ELFCLASS64, ELFDATA2MSB, EM_PPC64, "ppc64" }, { ELFCLASS32, ELFDATA2MSB, EM_68K, "m68k" },
	{ ELFCLASS64, ELFDATA2LSB, EM_IA_64, "ia64" },	{ ELFCLASS64, ELFDATA2LSB, 0x4242, NULL },
};

/* The explanation describes such a program fully. Other faults of the file do not matter. */
START_TEST(another_machine)
{
	struct image image = with_loader("/lib/ld.so.1");
	struct errpipe_link *link = &ex.link[0];

	image.class = foreign[_i].class;
	image.order = foreign[_i].order;
	image.machine = foreign[_i].machine;
	ck_assert_int_eq(predict(write_image("foreign", &image)), ENOEXEC);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_OTHER_ARCHITECTURE);
	ck_assert_uint_eq(link->machine, image.machine);
	ck_assert_uint_eq(link->type, ET_DYN);
	ck_assert_uint_eq(link->elf_class, image.class);
	ck_assert_uint_eq(link->elf_data, image.order);
	ck_assert_int_ne(link->dynamic, 0);
	ck_assert_str_eq(link->architecture ? link->architecture : "",
			 foreign[_i].architecture ? foreign[_i].architecture : "");

	image.size = 60;
	ck_assert_int_eq(predict(write_image("foreign", &image)), ENOEXEC);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_OTHER_ARCHITECTURE);
	ck_assert_int_eq(link->dynamic, 0);

	image.type = ET_REL;
	ck_assert_int_eq(predict(write_image("foreign", &image)), ENOEXEC);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_OBJECT_FILE);
	image.type = 0x1234;
	ck_assert_int_eq(predict(write_image("foreign", &image)), ENOEXEC);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_BAD_ELF_TYPE);
	ck_assert_uint_eq(ex.number, 0x1234);
}
END_TEST

/* --- killed ----------------------------------------------------------------------------------- */

static char *beside(const char *path, const char *end)
{
	char *other;

	return keep(asprintf(&other, "%s%s", path, end) < 0 ? NULL : other);
}

/* Make a link to a script whose interpreter is path. Returns the link's path. */
static const char *hide(const char *path)
{
	const char *link = beside(path, ".link"), *script = beside(path, ".script");
	FILE *file;

	if (access(script, X_OK) == 0)
		return link;
	file = fopen(script, "we");
	ck_assert_ptr_nonnull(file);
	fprintf(file, "#!%s\n", path);
	ck_assert_int_eq(fclose(file) | chmod(script, 0755), 0);
	ck_assert_int_eq(symlink(script, link), 0);
	return link;
}

/* The program is killed in the same way one level down. */
static void assert_killed_behind_a_script(const char *path, enum errpipe_cause cause, rlim_t address_space)
{
	static struct errpipe_explanation deep;
	struct errpipe_report report = { .verdict = ERRPIPE_STARTED };
	const struct errpipe_question deeper = {
		.root = ERRPIPE_OWN_ROOT,
		.path = hide(path),
		.report = &report,
		.limit_address_space = address_space,
		.limit_data = data_space,
	};

	report.status = try_with(deeper.path, address_space).status;
	ck_assert_int_eq(WTERMSIG(report.status), SIGSEGV);
	ck_assert_int_eq(errpipe_explain(&deep, &deeper), 0);
	ck_assert_str_eq(errpipe_cause_name(deep.cause), errpipe_cause_name(cause));
	ck_assert_int_eq(deep.broken, ex.broken + 1);
	ck_assert_int_eq(deep.works, 0);
	ck_assert_int_eq(deep.certainty, ERRPIPE_CERTAIN);
}

/* The exec must succeed, and the process must die of this cause before it can do anything. */
static void assert_killed(const char *path, enum errpipe_cause cause, rlim_t address_space)
{
	struct outcome outcome = try_with(path, address_space);

	ck_assert_int_eq(outcome.error, 0);
	ck_assert_msg(WIFSIGNALED(outcome.status), "%s was not killed: status %#x", path, outcome.status);
	ck_assert_int_eq(WTERMSIG(outcome.status), SIGSEGV);
	question.limit_address_space = address_space;
	ck_assert_int_eq(predict(path), 0);
	question.limit_address_space = 0;
	ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(cause));
	ck_assert_int_eq(ex.works, 0);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
	assert_killed_behind_a_script(path, cause, address_space);
}

static void no_load(struct image *image)
{
	image->segment[0].type = PT_NOTE;
}

static void empty_load(struct image *image)
{
	image->segment[0].file_size = image->segment[0].memory_size = 0;
}

static void file_size(struct image *image)
{
	image->segment[0].file_size = image->segment[0].memory_size + 1;
}

static void misaligned(struct image *image)
{
	image->segment[0].address += 0x100;
}

static void misaligned_offset(struct image *image)
{
	image->segment[0].offset += 0x100;
}

static void above_all(struct image *image)
{
	image->segment[0].address = OWN_CLASS == ELFCLASS64 ? 0xffffffff81000000 : 0xfffff000;
}

static void too_long(struct image *image)
{
	image->segment[0].memory_size = OWN_CLASS == ELFCLASS64 ? UINT64_MAX - 0x1000 : 0xfffff000;
}

static void wraps_around(struct image *image)
{
	image->segment[1] = image->segment[0];
	image->segment[1].address += 0x10000;
	image->segment[1].memory_size = 0 - image->segment[1].address;
}

static void second_one(struct image *image)
{
	image->segment[1] =
		(struct segment){ PT_LOAD, PF_R, 0x1000, image->segment[0].address + 0x10010, 0x10, 0x10 };
}

static void huge_bss(struct image *image)
{
	image->segment[0].memory_size = (uint64_t)1 << 46;
}

static void no_entry(struct image *image)
{
	image->segment[0].flags = PF_R;
	image->entry = 0;
}

static void impossible_entry(struct image *image)
{
	image->entry = OWN_CLASS == ELFCLASS64 ? 0xffffffffff000000 : 0xfffff000;
}

#ifdef __LP64__
static void far_offset(struct image *image)
{
	image->segment[0].offset = (uint64_t)1 << 63;
}

/* The last possible page of a file ends one byte after the largest file size. */
static void farthest_offset(struct image *image)
{
	image->segment[0].offset = INT64_MAX & ~(uint64_t)0xfff;
}

static void round_offset(struct image *image)
{
	image->segment[0].offset = UINT64_MAX & ~(uint64_t)0xfff;
}
#endif

#ifdef __x86_64__
static void add_first(struct image *image, uint64_t address, uint32_t flags)
{
	image->segment[1] = image->segment[0];
	image->segment[0] = (struct segment){ PT_LOAD, flags, 0, address, 0x1000, 0x1000 };
}

/* The address space is large enough, but the second segment lies before it. */
static void far_apart(struct image *image)
{
	add_first(image, 0x700000000000, PF_R);
}

static void far_apart_and_writable(struct image *image)
{
	add_first(image, 0x100000000000, PF_R | PF_W);
}
#endif

static const struct {
	const char *name;
	struct image (*make)(void);
	void (*change)(struct image *image);
	enum errpipe_cause cause;
	uint64_t number;
} kills[] = {
	{ "fixed, no load", fixed, no_load, ERRPIPE_CAUSE_NO_LOAD_SEGMENT, 0 },
	{ "no load", movable, no_load, ERRPIPE_CAUSE_NO_LOAD_SEGMENT, 0 },
	{ "empty load", movable, empty_load, ERRPIPE_CAUSE_NO_LOAD_SEGMENT, 0 },
	{ "fixed, file size", fixed, file_size, ERRPIPE_CAUSE_SEGMENT_SIZE, 0 },
	{ "file size", movable, file_size, ERRPIPE_CAUSE_SEGMENT_SIZE, 0 },
	{ "fixed, misaligned", fixed, misaligned, ERRPIPE_CAUSE_SEGMENT_ALIGNMENT, 0 },
	{ "misaligned", movable, misaligned, ERRPIPE_CAUSE_SEGMENT_ALIGNMENT, 0 },
	{ "misaligned offset", fixed, misaligned_offset, ERRPIPE_CAUSE_SEGMENT_ALIGNMENT, 0 },
	{ "second", fixed, second_one, ERRPIPE_CAUSE_SEGMENT_ALIGNMENT, 1 },
	{ "fixed, above", fixed, above_all, ERRPIPE_CAUSE_SEGMENT_ADDRESS, 0 },
	{ "above", movable, above_all, ERRPIPE_CAUSE_SEGMENT_ADDRESS, 0 },
	{ "fixed, long", fixed, too_long, ERRPIPE_CAUSE_SEGMENT_ADDRESS, 0 },
	{ "long", movable, too_long, ERRPIPE_CAUSE_SEGMENT_ADDRESS, 0 },
	{ "wraps around", fixed, wraps_around, ERRPIPE_CAUSE_SEGMENT_ADDRESS, 1 },
	{ "wraps around, too", movable, wraps_around, ERRPIPE_CAUSE_SEGMENT_ADDRESS, 1 },
	{ "no entry", movable, no_entry, ERRPIPE_CAUSE_SHARED_LIBRARY, 0 },
	{ "fixed, impossible entry", fixed, impossible_entry, ERRPIPE_CAUSE_ENTRY_POINT, 0 },
	{ "impossible entry", movable, impossible_entry, ERRPIPE_CAUSE_ENTRY_POINT, 0 },
#ifdef __LP64__
	{ "fixed, far offset", fixed, far_offset, ERRPIPE_CAUSE_SEGMENT_OFFSET, 0 },
	{ "far offset", movable, far_offset, ERRPIPE_CAUSE_SEGMENT_OFFSET, 0 },
	{ "fixed, farthest offset", fixed, farthest_offset, ERRPIPE_CAUSE_SEGMENT_OFFSET, 0 },
	{ "round offset", movable, round_offset, ERRPIPE_CAUSE_SEGMENT_OFFSET, 0 },
#endif
#ifdef __x86_64__
	{ "far apart", movable, far_apart, ERRPIPE_CAUSE_SEGMENT_ADDRESS, 1 },
	{ "far apart and writable", movable, far_apart_and_writable, ERRPIPE_CAUSE_ADDRESS_SPACE, 0x100000001000 },
#endif
};

START_TEST(killed)
{
	struct image image = kills[_i].make();

	kills[_i].change(&image);
	assert_killed(write_image("killed", &image), kills[_i].cause, 0);
	ck_assert_uint_eq(ex.number, kills[_i].number);
	ck_assert_int_eq(ex.broken, 0);
}
END_TEST

/* The loader has the same fault, which the kernel finds just as late. */
START_TEST(killed_for_its_loader)
{
	struct image program = with_loader(path_of("loader")), loader = kills[_i].make();

	kills[_i].change(&loader);
	write_image("loader", &loader);
	write_image("program", &program);
	if (kills[_i].cause == ERRPIPE_CAUSE_SHARED_LIBRARY ||
	    (kills[_i].change == above_all && loader.type == ET_DYN))
		return; /* not reported for loaders */
	assert_killed(path_of("program"), kills[_i].cause, 0);
	ck_assert_int_eq(ex.broken, 1);
}
END_TEST

/* The stub has only a read-only segment. Linux before 6.10 cannot load a loader that ends in such a segment. */
static void assert_has_stub_as_loader(const char *path)
{
	struct errpipe_report report = { .verdict = ERRPIPE_STARTED };

	report.status = try(path).status;
	if (!kernel_is_before(6, 10)) {
		assert_agrees(path, 0, ERRPIPE_CAUSE_NONE);
		ck_assert_int_eq(report.status, 125 << 8);
		return;
	}
	ck_assert_int_eq(WTERMSIG(report.status), SIGSEGV);
	ck_assert_int_eq(predict(path), 0);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), "loader-invalid");
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
	ck_assert_int_eq(ex.broken, 1);
	question.report = &report;
	ck_assert_int_eq(predict(path), 0);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), "loader-invalid");
	question.report = NULL;
}

START_TEST(no_segments_but_a_loader)
{
	struct image image = with_loader(path_of("bin/dmz"));

	image.segment[1].type = PT_NOTE;
	assert_has_stub_as_loader(write_image("program", &image));
}
END_TEST

START_TEST(a_loader_that_is_constant)
{
	struct image image = with_loader(path_of("bin/dmz"));

	assert_has_stub_as_loader(write_image("program", &image));
}
END_TEST

START_TEST(a_loader_of_a_wrong_type)
{
	struct image program = with_loader(path_of("loader")), loader = movable();

	loader.type = ET_REL;
	write_image("loader", &loader);
	assert_killed(write_image("program", &program), ERRPIPE_CAUSE_LOADER_INVALID, 0);
	ck_assert_int_eq(ex.broken, 1);
}
END_TEST

/* Only CAP_SYS_RAWIO (17) in the first user namespace lifts the limit of the lowest address. */
static void check_low_address(int drop)
{
	const char *path = path_of("low");

	if (drop && geteuid() == 0) {
		ck_assert_int_eq(prctl(PR_CAPBSET_DROP, 17, 0, 0, 0), 0);
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	}
	if (drop)
		assert_killed(path, ERRPIPE_CAUSE_SEGMENT_ADDRESS, 0);
	else if (!WIFSIGNALED(try(path).status))
		assert_agrees(path, 0, ERRPIPE_CAUSE_NONE);
}

START_TEST(below_the_lowest_address)
{
	struct image image = fixed();

	image.segment[0].address = 0;
	image.entry = CODE_AT;
	hide(write_image("low", &image));
	in_child(check_low_address, _i);
}
END_TEST

START_TEST(more_address_space_than_allowed)
{
	struct image image = _i ? movable() : fixed();
	const rlim_t limit = 64 << 20;
	const char *path;

	image.segment[0].flags |= PF_W;
	image.segment[0].memory_size = limit - (1 << 20);
	path = write_image("space", &image);
#ifdef __x86_64__
	ck_assert_int_eq(try_with(path, limit).status, 0);
#endif
	question.limit_address_space = limit;
	ck_assert_int_eq(predict(path), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);

	image.segment[0].memory_size = limit;
	assert_killed(write_image("space", &image), ERRPIPE_CAUSE_ADDRESS_SPACE, limit);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_CONFIGURED_LIMIT);
	assert_said(&ex, "raise that limit: --limit, or process.rlimits");
	ck_assert_uint_eq(ex.limit, limit);
	ck_assert_uint_eq(ex.number, limit + 128 * 1024);
}
END_TEST

/* Nothing is mapped there, so the program crashes as soon as the kernel has started it. */
START_TEST(an_entry_point_outside)
{
	struct image image = _i ? movable() : fixed();

	image.entry += 0x40000000;
	assert_killed(write_image("entry", &image), ERRPIPE_CAUSE_ENTRY_POINT, 0);
}
END_TEST

/* The entry point of a loader may lie in its program if both have fixed addresses. */
START_TEST(a_loader_that_begins_in_its_program)
{
	struct image program = fixed(), loader = fixed();
	char *name = path_of("loader");

	program.segment[1] = program.segment[0];
	program.segment[0] = (struct segment){ PT_INTERP, PF_R, NAME_AT, 0, strlen(name) + 1, 0 };
	program.loader = name;
	loader.segment[0].address += 0x40000000;
	write_image("loader", &loader);
	assert_agrees(write_image("program", &program), 0, ERRPIPE_CAUSE_NONE);
#ifdef __x86_64__
	ck_assert_int_eq(try(path_of("program")).status, 0);
#endif
}
END_TEST

/* These include addresses that only page tables of 5 levels allow. */
START_TEST(at_the_end_of_all_addresses)
{
	static const uint64_t ends[] = { 0x7ffffffff000, 0x800000000000, 0x1000000000000, 0x10000000000000,
					 0xfffffffffff000 };
	struct image image = fixed();
	struct outcome outcome;

	if (OWN_CLASS == ELFCLASS32)
		SKIP("no 32-bit address is that large");
	image.segment[1] = (struct segment){ PT_LOAD, PF_R, 0, ends[_i], 0x1000, 0x1000 };
	outcome = try(write_image("end", &image));
	ck_assert_int_eq(outcome.error, 0);
	ck_assert_int_eq(predict(path_of("end")), 0);
	ck_assert_int_eq(!ex.works, WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGSEGV);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), ex.works ? "none" : "segment-address");
}
END_TEST

/* The writable segments of the program and its loader count, including the zeros after them. */
START_TEST(more_data_than_allowed)
{
	struct image image = _i ? with_loader(path_of("loader")) : fixed(), loader = movable();
	const uint64_t all = (_i ? 6 : 5) * PAGE;
	const char *path;

	image.segment[_i ? 2 : 1] =
		(struct segment){ PT_LOAD, PF_R | PF_W, PAGE, BASE + 0x100000, PAGE + 16, 5 * PAGE };
	loader.segment[1] = (struct segment){ PT_LOAD, PF_R | PF_W, PAGE, 0x100000, 16, PAGE };
	write_image("loader", &loader);
	path = write_image("data", &image);
	question.limit_data = data_space = all;
	assert_agrees(path, 0, ERRPIPE_CAUSE_NONE);
#ifdef __x86_64__
	ck_assert_int_eq(try(path).status, 0);
#endif
	question.limit_data = --data_space;
	assert_killed(path, ERRPIPE_CAUSE_DATA_LIMIT, 0);
	ck_assert_int_eq(ex.broken, _i);
	ck_assert_uint_eq(ex.number, all);
	ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_CONFIGURED_LIMIT);
	assert_said(&ex, "raise that limit: --limit, or process.rlimits");
	question.limit_data = data_space = 0;
}
END_TEST

START_TEST(more_memory_than_there_is)
{
	struct image image = _i ? movable() : fixed();

	if (OWN_CLASS == ELFCLASS32)
		SKIP("no 32-bit address is that large");
	huge_bss(&image);
	assert_killed(write_image("huge", &image), ERRPIPE_CAUSE_ADDRESS_SPACE, 0);
	ck_assert_uint_eq(ex.limit, 0);
}
END_TEST

START_TEST(cut_off_before_its_entry_point)
{
	struct errpipe_report report = { .verdict = ERRPIPE_STARTED };
	struct image image = fixed();
	struct outcome outcome;

	image.segment[0].file_size = image.segment[0].memory_size = PAGE + 0x1000;
	image.entry = BASE + PAGE;
	image.size = PAGE;
	outcome = try(write_image("cut", &image));
	ck_assert_int_eq(outcome.error, 0);
	ck_assert(WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGBUS);
	ck_assert_int_eq(predict(path_of("cut")), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_TRUNCATED_ELF);
	ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
	ck_assert_uint_eq(ex.number, PAGE);
	ck_assert_uint_eq(ex.limit, PAGE + 0x1000);

	image.entry = BASE;
	predict(write_image("cut", &image));
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_TRUNCATED_ELF);
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
	ck_assert_int_eq(ex.works, 1);

	question.report = &report;
	report.status = SIGBUS;
	predict(path_of("cut"));
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_TRUNCATED_ELF);
	ck_assert_int_eq(ex.works, 0);
	report.status = SIGKILL;
	predict(path_of("cut"));
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
	question.report = NULL;
}
END_TEST

/*
 * The kernel clears the rest of a page that the file lacks. This is how a truncated dynamic program dies. Older kernels
 * ignored that they could not clear it.
 */
START_TEST(cut_off_before_its_data_ends)
{
	struct image image = _i ? with_loader(path_of("bin/dmz")) : fixed();
	struct segment *data = &image.segment[_i ? 2 : 1];

	*data = (struct segment){
		PT_LOAD, PF_R | PF_W, PAGE, image.segment[_i ? 1 : 0].address + PAGE, 0x100, 0x4000
	};
	image.size = PAGE + 0x100;
	if (!_i || !kernel_is_before(6, 10))
		assert_agrees(write_image("cut", &image), 0, ERRPIPE_CAUSE_NONE);
	image.size = PAGE;
	write_image("cut", &image);
	if (!kernel_is_before(6, 12)) {
		assert_killed(path_of("cut"), ERRPIPE_CAUSE_TRUNCATED_ELF, 0);
	} else if (!_i) {
		ck_assert_int_eq(predict(path_of("cut")), 0);
		ck_assert_str_eq(errpipe_cause_name(ex.cause), "truncated-elf");
		ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
	} else {
		return; /* such a kernel also refuses the loader */
	}
	ck_assert_uint_eq(ex.number, PAGE);
	ck_assert_uint_eq(ex.limit, PAGE + 0x100);
}
END_TEST

START_TEST(programs_that_start)
{
	struct image images[] = { fixed(), movable() };
	struct outcome outcome = try(write_image("start", &images[_i]));

	ck_assert_int_eq(outcome.error, 0);
#ifdef __x86_64__
	ck_assert_int_eq(outcome.status, 0);
#endif
	ck_assert_int_eq(predict(path_of("start")), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
	ck_assert_int_eq(ex.works, 1);
	ck_assert_int_eq(ex.link[0].dynamic, 0);
}
END_TEST

/* The kernel allows segments to overlap. The later one counts (MAP_FIXED, since Linux 5.4). */
START_TEST(segments_that_overlap)
{
	struct image image = _i ? movable() : fixed();

	image.segment[1] = image.segment[0];
	image.segment[2] = image.segment[0];
	image.segment[2].memory_size = 0x3000;
	assert_agrees(write_image("overlap", &image), 0, ERRPIPE_CAUSE_NONE);
#ifdef __x86_64__
	ck_assert_int_eq(try(path_of("overlap")).status, 0);
#endif
}
END_TEST

/* A fault for which the kernel kills a program cannot be the cause of a failed exec. */
START_TEST(a_failed_exec_is_not_explained_by_segments)
{
	static const struct errpipe_report failed = { .verdict = ERRPIPE_EXEC_FAILED,
						      .error = ENOEXEC,
						      .status = -1 };
	struct image image = fixed();
	struct errpipe_question failure = { .root = ERRPIPE_OWN_ROOT };

	image.segment[0].file_size++;
	failure.path = write_image("failed", &image);
	ck_assert_int_eq(errpipe_explain(&ex, &failure), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_SEGMENT_SIZE);
	failure.report = &failed;
	ck_assert_int_eq(errpipe_explain(&ex, &failure), 0);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_UNKNOWN);
	ck_assert_int_eq(ex.certainty, ERRPIPE_UNSURE);
}
END_TEST

#ifdef __x86_64__
/* The kernel rounds the address of the first segment down. Then the other segment would lie below 0. */
static struct image aligned_to(uint64_t alignment)
{
	struct image image = movable();

	image.segment[1] = image.segment[0];
	image.segment[0].address = 0x100000;
	image.alignment[0] = alignment;
	return image;
}

START_TEST(a_large_alignment)
{
	static const uint64_t small[] = { 0x1000, 1 << 21, 1 << 30, UINT64_C(1) << 40, (UINT64_C(1) << 63) - 1 },
			      large[] = { UINT64_C(1) << 63, UINT64_C(1) << 47 };
	struct image image;

	for (size_t i = 0; i < COUNT(small); i++) {
		image = aligned_to(small[i]);
		assert_agrees(write_image("aligned", &image), 0, ERRPIPE_CAUSE_NONE);
		ck_assert_int_eq(ex.certainty, ERRPIPE_CERTAIN);
		ck_assert_int_eq(try(path_of("aligned")).status, 0);
	}
	for (size_t i = 0; i < COUNT(large); i++) {
		image = aligned_to(large[i]);
		write_image("aligned", &image);
		if (kernel_is_before(6, 10))
			assert_agrees(path_of("aligned"), 0, ERRPIPE_CAUSE_NONE);
		else
			assert_killed(path_of("aligned"), ERRPIPE_CAUSE_SEGMENT_ADDRESS, 0);
	}
}
END_TEST

/* Since Linux 5.10 the base, two thirds of 2^47, is rounded down to 0. */
START_TEST(a_large_alignment_with_a_loader)
{
	struct image program = with_loader(path_of("loader")), loader = aligned_to(UINT64_C(1) << 63);

	program.segment[2] = program.segment[1];
	program.segment[1].address = 0x100000;
	program.alignment[1] = UINT64_C(1) << 47;
	loader.segment[0].flags |= PF_W;
	write_image("loader", &loader);
	if (!kernel_is_before(5, 10))
		assert_killed(write_image("program", &program), ERRPIPE_CAUSE_SEGMENT_ADDRESS, 0);
	program.alignment[1] = 1 << 30;
	assert_agrees(write_image("program", &program), 0, ERRPIPE_CAUSE_NONE);
}
END_TEST

/* The kernel's base address is random. Whether it can be above 2^46 depends on the limit of the stack. */
START_TEST(an_alignment_that_may_do)
{
	struct errpipe_report report = { .verdict = ERRPIPE_STARTED, .status = SIGSEGV };
	struct image image = aligned_to(UINT64_C(1) << 46);

	if (kernel_is_before(6, 10))
		return; /* such a kernel ignores the alignment */
	ck_assert_int_eq(predict(write_image("aligned", &image)), 0);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), "segment-address");
	ck_assert_int_eq(ex.certainty, ERRPIPE_UNSURE);
	question.report = &report;
	predict(path_of("aligned"));
	ck_assert_int_eq(ex.certainty, ERRPIPE_LIKELY);
	report.status = SIGBUS;
	predict(path_of("aligned"));
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
	question.report = NULL;
}
END_TEST

/* The kernel puts a first segment without bytes at address 0. */
START_TEST(an_empty_segment_first)
{
	struct image program = with_loader(path_of("empty")), image = movable();

	image.segment[1] = image.segment[0];
	image.segment[0] = (struct segment){ PT_LOAD, PF_R | PF_W, 0x2000, 0x2000, 0, 0x1000 };
	assert_killed(write_image("empty", &image), ERRPIPE_CAUSE_SEGMENT_ADDRESS, 0);
	assert_killed(write_image("program", &program), ERRPIPE_CAUSE_SEGMENT_ADDRESS, 0);
	ck_assert_int_eq(ex.broken, 1);
}
END_TEST

START_TEST(over_the_stack)
{
	struct image image = fixed();

	image.segment[0].address = 0x7ff000000000;
	image.segment[0].file_size = image.segment[0].memory_size = 0x7ffffffff000 - 0x7ff000000000;
	assert_killed(write_image("stack", &image), ERRPIPE_CAUSE_SEGMENT_OVERLAP, 0);
}
END_TEST

START_TEST(i386)
{
	struct image image = fixed_i386();

	predict(write_image("i386", &image));
	ck_assert_str_eq(ex.link[0].architecture, "i386");
	ck_assert_int_eq(ex.link[0].elf_class, ELFCLASS32);
	NEEDS("32-bit-programs");
	assert_agrees(write_image("i386", &image), 0, ERRPIPE_CAUSE_NONE);
	ck_assert_int_eq(try(path_of("i386")).status, 0);
	image.segment[0].address = 0xffffe000;
	assert_killed(write_image("i386", &image), ERRPIPE_CAUSE_SEGMENT_ADDRESS, 0);
	image = fixed_i386();
	image.segment[0].file_size++;
	assert_killed(write_image("i386", &image), ERRPIPE_CAUSE_SEGMENT_SIZE, 0);
	image = fixed_i386();
	image.count = most_headers(32);
	assert_agrees(write_image("i386", &image), 0, ERRPIPE_CAUSE_NONE);
	image.count++;
	assert_agrees(write_image("i386", &image), ENOEXEC, ERRPIPE_CAUSE_BAD_PROGRAM_HEADERS);
}
END_TEST

/* An x86 kernel ignores EI_CLASS and EI_DATA. */
START_TEST(class_and_byte_order_are_not_looked_at)
{
	struct image image = fixed();
	unsigned char *bytes = bytes_of(&image);

	for (int value = 0; value < 4; value++) {
		bytes[EI_CLASS] = value;
		bytes[EI_DATA] = value;
		assert_agrees(write_file("ident", bytes, FILE_SIZE), 0, ERRPIPE_CAUSE_NONE);
		ck_assert_int_eq(ex.link[0].elf_class, ELFCLASS64);
		ck_assert_str_eq(ex.link[0].architecture, "x86_64");
	}
}
END_TEST

START_TEST(x32)
{
	struct image image = fixed_i386();
	int error;

	image.machine = EM_X86_64;
	error = try(write_image("x32", &image)).error;
	ck_assert_int_eq(predict(path_of("x32")), error);
	ck_assert_str_eq(ex.link[0].architecture, "x32");
	ck_assert_int_eq(ex.cause, error ? ERRPIPE_CAUSE_NO_COMPATIBILITY : ERRPIPE_CAUSE_NONE);
}
END_TEST

/* 45 bytes are a valid program: the kernel sees zeros after the end (muppetlabs.com/~breadbox/software/tiny). */
START_TEST(the_smallest_of_all)
{
	static const unsigned char tiny[45] = {
		0x7f, 'E', 'L',	 'F', 1,    0,	  0,	0,    0,    0,	  0,	0, 0,	 0, 1,
		0,    2,   0,	 3,   0,    0x20, 0,	1,    0,    0x20, 0,	1, 0,	 4, 0,
		0,    0,   0xb3, 42,  0x31, 0xc0, 0x40, 0xcd, 0x80, 0,	  0x34, 0, 0x20, 0, 1,
	};

	NEEDS("32-bit-programs");
	ck_assert_int_eq(predict(write_file("tiny", tiny, sizeof(tiny))), 0);
	ck_assert_int_eq(ex.works, 1);
	ck_assert_int_eq(try(path_of("tiny")).status, 42 << 8);
	assert_agrees(write_file("tiny", tiny, sizeof(tiny) - 1), ENOEXEC, ERRPIPE_CAUSE_TRUNCATED_ELF);
}
END_TEST
#endif

/* --- mutations -------------------------------------------------------------------------------- */

static uint32_t seed;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static unsigned char random_byte(unsigned char old)
{
	static const unsigned char interesting[] = { 0, 1, 2, 3, 6, 0x10, 0x20, 0x38, 0x7f, 0x80, 0xff };
	uint32_t kind = random_below(4);

	if (kind == 0)
		return old + 1;
	if (kind == 1)
		return old ^ 1 << random_below(8);
	return kind == 2 ? random_below(256) : interesting[random_below(COUNT(interesting))];
}

/* Change bytes of the ELF header and the program headers. */
static size_t mutate(unsigned char *bytes, const struct image *image)
{
	size_t size = image->size, end = (image->class == ELFCLASS64 ? 64 : 52) + 56 * segments(image);

	for (uint32_t n = 1 + random_below(3); n > 0; n--) {
		size_t at = 4 + random_below(end - 4);

		bytes[at] = random_byte(bytes[at]);
	}
	return random_below(16) ? size : random_below(2 * end);
}

static int mutations(void)
{
	const char *wanted = getenv("ERRPIPE_MUTATIONS");

	return wanted ? atoi(wanted) : rounds(500);
}

static void print_mutation(const char *name, int n, const struct outcome *outcome, int error)
{
	fprintf(stderr, "mutation %d of %s: the kernel: error %d, status %#x; we: error %d, %s, %s\n", n, name,
		outcome->error, outcome->status, error, errpipe_cause_name(ex.cause),
		errpipe_certainty_name(ex.certainty));
}

static void print_changes(const unsigned char *bytes, const unsigned char *base)
{
	for (int i = 0; i < 64 + 4 * 56; i++) {
		if (bytes[i] != base[i])
			fprintf(stderr, " [%d] %02x -> %02x", i, base[i], bytes[i]);
	}
	fputc('\n', stderr);
}

static void check_mutation(const char *name, const char *path, int n, const unsigned char *bytes,
			   const unsigned char *base)
{
	struct outcome outcome = try(path);
	int error = predict(path);
	bool right = error == outcome.error;

	if (right && !error && !ex.works && ex.certainty == ERRPIPE_CERTAIN)
		right = WIFSIGNALED(outcome.status);
	if (getenv("ERRPIPE_MUTATIONS") && right && !error && outcome.killed == !!ex.works &&
	    ex.cause != ERRPIPE_CAUSE_SHARED_LIBRARY && ex.cause != ERRPIPE_CAUSE_ENTRY_POINT) {
		print_mutation(name, n, &outcome, error);
		print_changes(bytes, base);
	}
	if (!right) {
		print_mutation(name, n, &outcome, error);
		print_changes(bytes, base);
	}
	ck_assert_msg(right, "mutation %d of %s", n, name);
}

static const struct {
	const char *name;
	struct image (*make)(void);
	bool is_loader;
} bases[] = {
	{ "fixed", fixed, false },   { "movable", movable, false },   { "i386", fixed_i386, false },
	{ "loader", movable, true }, { "fixed loader", fixed, true }, { "dynamic", NULL, false },
};

START_TEST(mutated)
{
	struct image program = with_loader(path_of("mutated"));
	struct image image = bases[_i].make ? bases[_i].make() : with_loader(path_of("bin/dmz"));

#ifndef __x86_64__
	if (image.machine == EM_386)
		return;
#endif
	image.segment[2] =
		(struct segment){ PT_LOAD, PF_R | PF_W, 0x1000, image.segment[1].address + 0x20000, 0x10, 0x4000 };
	if (!image.segment[1].type) {
		image.segment[1] = image.segment[2];
		image.segment[1].address += image.segment[0].address;
		image.segment[2].type = 0;
	}
	write_image("program", &program);
	seed = _i;
	for (int n = 0; n < mutations(); n++) {
		unsigned char *bytes = bytes_of(&image);
		size_t size = mutate(bytes, &image);
		const char *path = write_file("mutated", bytes, size);

		check_mutation(bases[_i].name, bases[_i].is_loader ? path_of("program") : path, n, bytes,
			       bytes_of(&image));
	}
}
END_TEST

#ifdef __x86_64__
/* Put at most one segment at each place, so that none hides the code. */
static struct image random_image(unsigned type)
{
	static const uint64_t places[] = { 0,
					   0x10000,
					   0x20000,
					   0x200000,
					   1 << 30,
					   UINT64_C(1) << 32,
					   UINT64_C(1) << 40,
					   UINT64_C(1) << 44,
					   UINT64_C(1) << 46,
					   UINT64_C(1) << 47 };
	static const uint64_t sizes[] = { 0, 0x10, 0x1000 };
	struct image image = type == ET_EXEC ? fixed() : movable();
	uint32_t count = 1 + random_below(4), code = random_below(count), used = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct segment *segment = &image.segment[i];
		uint32_t place;

		do {
			place = random_below(random_below(3) ? 5 : COUNT(places));
		} while (used >> place & 1);
		used |= 1u << place;
		*segment = (struct segment){ PT_LOAD,	    random_below(2) ? PF_R : PF_R | PF_W, 0x1000,
					     places[place], sizes[random_below(COUNT(sizes))],	  0 };
		segment->memory_size = segment->file_size + random_below(2) * 0x2000;
		if (i == code)
			*segment = (struct segment){ PT_LOAD, PF_R | PF_X, 0, places[place], 0x1000, 0x1000 };
		if (random_below(2))
			image.alignment[i] = UINT64_C(1) << random_below(64);
		if (type == ET_EXEC)
			segment->address += BASE;
	}
	image.entry = image.segment[code].address + CODE_AT;
	return image;
}

enum { STATIC, LOADED, LOADER, KINDS };

static const char *write_random(int kind)
{
	struct image image = random_image(random_below(8) ? ET_DYN : ET_EXEC);
	struct image program = with_loader(path_of("anywhere/loader"));

	if (kind == LOADER) {
		image.segment[0].flags |= PF_W;
		write_image("anywhere/loader", &image);
		return write_image("anywhere/image", &program);
	}
	if (kind == LOADED) {
		if (image.segment[3].type)
			image.segment[3].type = PT_NULL;
		memmove(&image.segment[1], &image.segment[0], 3 * sizeof(*image.segment));
		memmove(&image.alignment[1], &image.alignment[0], 3 * sizeof(*image.alignment));
		image.segment[0] = program.segment[0];
		image.loader = program.loader;
		program = movable();
		program.segment[0].flags |= PF_W;
		write_image("anywhere/loader", &program);
	}
	return write_image("anywhere/image", &image);
}

static int random_layouts(void)
{
	const char *wanted = getenv("ERRPIPE_MUTATIONS");

	return wanted ? atoi(wanted) : rounds(2000);
}

static void check_random_layouts(int i)
{
	int count[ERRPIPE_UNSURE + 1][2] = { 0 };

	seed = 100 + i;
	if (i >= KINDS && geteuid() == 0) {
		ck_assert_int_eq(prctl(PR_CAPBSET_DROP, 17, 0, 0, 0), 0);
		ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	}
	for (int n = 0; n < random_layouts(); n++) {
		uint32_t before = seed;
		const char *path = write_random(i % KINDS);
		struct outcome outcome = try(path);
		bool killed = WIFSIGNALED(outcome.status);

		ck_assert_int_eq(predict(path), outcome.error);
		ck_assert_msg(ex.certainty != ERRPIPE_CERTAIN || killed == !ex.works,
			      "layout %d (seed %u) of %d: %s, but status %#x", n, before, i,
			      errpipe_cause_name(ex.cause), outcome.status);
		count[ex.certainty][!ex.works]++;
	}
	ck_assert_int_gt(count[ERRPIPE_CERTAIN][0], 0);
	ck_assert_int_gt(count[ERRPIPE_CERTAIN][1], 0);
	ck_assert_int_gt(count[ERRPIPE_CERTAIN][0] + count[ERRPIPE_CERTAIN][1], count[ERRPIPE_UNSURE][1]);
}

/* Predict whether programs start or are killed. Their segments have any order and any alignment. */
START_TEST(random_layouts_of_segments)
{
	const char *place = path_of("anywhere");

	if (kernel_is_before(6, 10))
		return; /* such a kernel refuses more layouts */
	mkdir(place, 0777);
	ck_assert_int_eq(chmod(place, 0777), 0);
	in_child(check_random_layouts, _i);
}
END_TEST
#endif

static Suite *explain_elf_suite(void)
{
	Suite *suite = suite_create("explain_elf");
	TCase *tcase = tcase_create("explain_elf");

	tcase_set_timeout(tcase, getenv("ERRPIPE_MUTATIONS") ? 3600 : 120);
	tcase_add_test(tcase, whatever_the_fixture_has);
	tcase_add_loop_test(tcase, what_is_said_of_the_fixture, 0, COUNT(fixtures));
	tcase_add_test(tcase, as_many_headers_as_there_may_be);
	tcase_add_test(tcase, a_loader_that_is_named_last);
	tcase_add_loop_test(tcase, headers_at_impossible_places, 0, 6);
	tcase_add_loop_test(tcase, loader_names_at_impossible_places, 0, 7);
	tcase_add_loop_test(tcase, another_machine, 0, COUNT(foreign));
	tcase_add_loop_test(tcase, programs_that_start, 0, 2);
	tcase_add_loop_test(tcase, segments_that_overlap, 0, 2);
	tcase_add_loop_test(tcase, killed, 0, COUNT(kills));
	tcase_add_loop_test(tcase, killed_for_its_loader, 0, COUNT(kills));
	tcase_add_test(tcase, no_segments_but_a_loader);
	tcase_add_test(tcase, a_loader_that_is_constant);
	tcase_add_test(tcase, a_loader_of_a_wrong_type);
	tcase_add_loop_test(tcase, below_the_lowest_address, 0, 2);
	tcase_add_loop_test(tcase, more_address_space_than_allowed, 0, 2);
	tcase_add_loop_test(tcase, an_entry_point_outside, 0, 2);
	tcase_add_test(tcase, a_loader_that_begins_in_its_program);
	tcase_add_loop_test(tcase, at_the_end_of_all_addresses, 0, 5);
	tcase_add_loop_test(tcase, more_data_than_allowed, 0, 2);
	tcase_add_loop_test(tcase, more_memory_than_there_is, 0, 2);
	tcase_add_test(tcase, cut_off_before_its_entry_point);
	tcase_add_loop_test(tcase, cut_off_before_its_data_ends, 0, 2);
	tcase_add_test(tcase, a_failed_exec_is_not_explained_by_segments);
#ifdef __x86_64__
	tcase_add_test(tcase, a_large_alignment);
	tcase_add_test(tcase, a_large_alignment_with_a_loader);
	tcase_add_test(tcase, an_alignment_that_may_do);
	tcase_add_test(tcase, an_empty_segment_first);
	tcase_add_loop_test(tcase, random_layouts_of_segments, 0, 2 * KINDS);
	tcase_add_test(tcase, over_the_stack);
	tcase_add_test(tcase, i386);
	tcase_add_test(tcase, class_and_byte_order_are_not_looked_at);
	tcase_add_test(tcase, x32);
	tcase_add_test(tcase, the_smallest_of_all);
#endif
	tcase_add_loop_test(tcase, mutated, 0, COUNT(bases));
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	fixture = fixture_make();
	return run_suite(explain_elf_suite());
}
