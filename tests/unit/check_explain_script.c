/* SPDX-License-Identifier: MIT */
/* errpipe_explain() with scripts, files that are not programs, programs for other machines, and missing loaders. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "explain/kernel/kernel.h"
#include "fixture.h"
#include "rounds.h"
#include "said.h"
#include "suite.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *fixture;
static struct errpipe_explanation ex;
static struct errpipe_question question;
static struct ep_check c = { .question = &question, .ex = &ex };

static char *path_of(const char *name)
{
	char *path;

	return keep(asprintf(&path, "%s/%s", fixture, name) < 0 ? NULL : path);
}

static struct errpipe_link *begin(void)
{
	memset(&ex, 0, offsetof(struct errpipe_explanation, strings));
	ex.works = 1;
	ex.broken = -1;
	ex.links = 1;
	ex.link[0].kind = ERRPIPE_LINK_PROGRAM;
	ex.link[0].path = "program";
	return &ex.link[0];
}

static struct ep_head head_of(const void *bytes, size_t size)
{
	struct ep_head head = { .size = size < sizeof(head.bytes) ? size : sizeof(head.bytes) };

	memcpy(head.bytes, bytes, head.size);
	return head;
}

/* --- the interpreter line --------------------------------------------------------------------- */

/* Returns 0 or the errno. */
static int parse(const void *bytes, size_t size, struct ep_next *next)
{
	struct ep_head head = head_of(bytes, size);
	struct errpipe_link *link = begin();

	*next = (struct ep_next){ 0 };
	link->format = ep_format(&head);
	ck_assert_int_eq(link->format, ERRPIPE_FORMAT_SCRIPT);
	if (ep_script(&c, link, &head, next) == 0) {
		ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_NONE);
		ck_assert_int_eq(next->kind, ERRPIPE_LINK_INTERPRETER);
		return 0;
	}
	ck_assert_int_ne(ex.cause, ERRPIPE_CAUSE_NONE);
	ck_assert_int_eq(next->kind, 0);
	return ex.error;
}

#define LINE(literal) literal, sizeof(literal) - 1

static const struct {
	const char *bytes;
	size_t size;
	const char *name, *argument;
} lines[] = {
	{ LINE("#!/bin/sh\n"), "/bin/sh", NULL },	 { LINE("#!/bin/sh"), "/bin/sh", NULL },
	{ LINE("#! /bin/sh\n"), "/bin/sh", NULL },	 { LINE("#!\t \t/bin/sh\t \n"), "/bin/sh", NULL },
	{ LINE("#!/bin/sh -e\n"), "/bin/sh", "-e" },	 { LINE("#!/bin/sh \t-e -x \t\necho\n"), "/bin/sh", "-e -x" },
	{ LINE("#!/bin/sh -e"), "/bin/sh", "-e" },	 { LINE("#!/bin/sh "), "/bin/sh", "" },
	{ LINE("#!/bin/sh -e "), "/bin/sh", "-e " },	 { LINE("#!/bin/sh\r\n"), "/bin/sh\r", NULL },
	{ LINE("#!/bin/sh -e\r\n"), "/bin/sh", "-e\r" }, { LINE("#!sh\n"), "sh", NULL },
	{ LINE("#!/bin/sh\0x -e\n"), "/bin/sh", NULL },	 { LINE("#!/bin/sh -e\0x\n"), "/bin/sh", "-e" },
	{ LINE("#!/bin/sh \0\n"), "/bin/sh", "" },	 { LINE("#!\x0b/bin/sh\n"), "\x0b/bin/sh", NULL },
};

START_TEST(a_line)
{
	struct ep_next next;

	ck_assert_int_eq(parse(lines[_i].bytes, lines[_i].size, &next), 0);
	ck_assert_str_eq(next.path, lines[_i].name);
	if (lines[_i].argument)
		ck_assert_str_eq(ex.link[0].argument, lines[_i].argument);
	else
		ck_assert_ptr_null(ex.link[0].argument);
}
END_TEST

static const struct {
	const char *bytes;
	size_t size;
	int error;
} bare_lines[] = {
	{ LINE("#!\n"), ENOEXEC },  { LINE("#! \t \n"), ENOEXEC }, { LINE("#!"), EACCES },
	{ LINE("#! \t "), EACCES }, { LINE("#!\0\n"), EACCES },	   { LINE("#! \0/bin/sh\n"), EACCES },
};

START_TEST(a_bare_line)
{
	struct ep_next next;

	ck_assert_int_eq(parse(bare_lines[_i].bytes, bare_lines[_i].size, &next), bare_lines[_i].error);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_BARE_INTERPRETER_LINE);
	ck_assert_int_eq(ex.broken, 0);
}
END_TEST

/* The kernel reads 256 bytes. If they contain no line feed, the name must end before their end. */
START_TEST(a_name_of_that_length)
{
	char bytes[600];
	struct ep_next next;
	int length = 250 + _i; /* with "#!" */

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "#!/", 3);
	bytes[length] = '\n';
	ck_assert_int_eq(parse(bytes, sizeof(bytes), &next), length < 256 ? 0 : ENOEXEC);
	ck_assert_int_eq(ex.cause, length < 256 ? ERRPIPE_CAUSE_NONE : ERRPIPE_CAUSE_LONG_INTERPRETER_LINE);
	ck_assert_uint_eq(ex.limit, length < 256 ? 0 : 256);
	if (length < 256)
		ck_assert_int_eq(strlen(next.path), length - 2);

	/* An argument may be cut. The cut also removes its last byte. */
	bytes[length] = 'x';
	bytes[length - 5] = ' ';
	ck_assert_int_eq(parse(bytes, sizeof(bytes), &next), 0);
	ck_assert_int_eq(strlen(next.path), length - 5 - 2);
	ck_assert_int_eq(ex.link[0].argument ? strlen(ex.link[0].argument) : 0, 254 - (length - 5));
}
END_TEST

START_TEST(nothing_but_blanks)
{
	char bytes[256];
	struct ep_next next;

	memset(bytes, ' ', sizeof(bytes));
	memcpy(bytes, "#!", 2);
	ck_assert_int_eq(parse(bytes, sizeof(bytes), &next), ENOEXEC);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_BARE_INTERPRETER_LINE);
	ck_assert_int_eq(parse(bytes, sizeof(bytes) - 1, &next), ENOEXEC);
	ck_assert_int_eq(parse(bytes, sizeof(bytes) - 2, &next), EACCES);
	bytes[255] = 'x';
	ck_assert_int_eq(parse(bytes, sizeof(bytes), &next), ENOEXEC);
	ck_assert_int_eq(ex.cause, ERRPIPE_CAUSE_LONG_INTERPRETER_LINE);
	bytes[254] = 'x';
	bytes[255] = ' ';
	ck_assert_int_eq(parse(bytes, sizeof(bytes), &next), 0);
	ck_assert_str_eq(next.path, "x");
	ck_assert_ptr_null(ex.link[0].argument);
}
END_TEST

/* --- the kernel's reading of the line --------------------------------------------------------- */

/* The output of tests/prog_args as the interpreter. Its name is relative, to be as short as possible. */
struct arguments {
	int error; /* of the exec */
	char text[2048];
	size_t size;
};

static void exec_script(int report, int output)
{
	char *const argv[] = { "script", NULL }, *const envp[] = { NULL };
	int error;

	if (chdir(fixture) < 0 || dup2(output, 1) < 0)
		_exit(1);
	execve("script", argv, envp);
	error = errno;
	if (write(report, &error, sizeof(error)) != sizeof(error))
		_exit(1);
	_exit(0);
}

static struct arguments arguments_of(const void *bytes, size_t size)
{
	struct arguments arguments = { 0, "", 0 };
	int fd = open(path_of("script"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755), report[2], output[2];
	ssize_t n;
	pid_t pid;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), size);
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	close(fd);
	make_pipe(report);
	make_pipe(output);
	pid = checked_fork();
	if (pid == 0)
		exec_script(report[1], output[1]);
	close(report[1]);
	close(output[1]);
	while ((n = read(output[0], arguments.text + arguments.size, sizeof(arguments.text) - 1 - arguments.size)) >
	       0)
		arguments.size += n;
	ck_assert_int_ge(read(report[0], &arguments.error, sizeof(arguments.error)), 0);
	close(report[0]);
	close(output[0]);
	wait_for(pid);
	return arguments;
}

static uint32_t seed;

static uint32_t random_below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* Make a line of the bytes that matter. It usually has a name that exists, and often ends near the kernel's 256 bytes. */
static size_t random_line(char *bytes, size_t max)
{
	static const char alphabet[] = { ' ', '\t', '\n', '\0', 'i', 'a', '\r', ' ' };
	size_t size = 3 + random_below(4) * 64 + random_below(64), at = 2;

	if (random_below(2))
		size = 250 + random_below(12);
	ck_assert_int_le(size, max);
	memcpy(bytes, "#!", 2);
	if (random_below(2)) {
		size_t blanks = random_below(3) ? random_below(4) : size - 2 - random_below(size - 2);

		memset(bytes + at, ' ', blanks);
		at += blanks;
	}
	for (; at < size; at++)
		bytes[at] = random_below(3) && at > 2 ? bytes[at - 1] : alphabet[random_below(sizeof(alphabet))];
	return size;
}

static char *expected_arguments(const char *name, const char *argument)
{
	char *text;

	if (argument)
		return keep(asprintf(&text, "arg %s\narg %s\narg script\n", name, argument) < 0 ? NULL : text);
	return keep(asprintf(&text, "arg %s\narg script\n", name) < 0 ? NULL : text);
}

/* The interpreters are named "i", "ii" and so on, up to 16 letters. Some lines name other files. */
START_TEST(what_the_kernel_makes_of_it)
{
	char bytes[512], name[32] = "";
	const char *wanted = getenv("ERRPIPE_MUTATIONS");
	int started = 0, n = wanted ? atoi(wanted) : rounds(500);

	for (int i = 0; i < 16; i++) {
		strcat(name, "i");
		ck_assert_int_eq(symlink(built_path("tests/prog_args"), path_of(name)), 0);
	}
	ck_assert_int_eq(chdir(fixture), 0);
	seed = 1;
	for (int i = 0; i < n; i++) {
		size_t size = random_line(bytes, sizeof(bytes));
		struct arguments arguments = arguments_of(bytes, size);
		struct ep_next next;
		int error = parse(bytes, size, &next);
		const char *expected;

		if (!error) {
			struct stat st;

			error = stat(next.path, &st) < 0 ? errno : 0;
		}
		ck_assert_msg(error == arguments.error, "line %d: the kernel says %d, we say %d", i, arguments.error,
			      error);
		if (error)
			continue;
		started++;
		expected = expected_arguments(next.path, ex.link[0].argument);
		ck_assert_msg(strncmp(arguments.text, expected, strlen(expected)) == 0, "line %d: %s, not %s", i,
			      arguments.text, expected);
	}
	ck_assert_int_gt(started, n / 50);
}
END_TEST

/* --- formats ---------------------------------------------------------------------------------- */

static const struct {
	const char *bytes;
	size_t size;
	enum errpipe_format format;
	enum errpipe_cause cause;
	const char *words;
} files[] = {
	{ LINE(""), ERRPIPE_FORMAT_EMPTY, ERRPIPE_CAUSE_EMPTY_FILE, NULL },
	{ LINE("#"), ERRPIPE_FORMAT_TEXT, ERRPIPE_CAUSE_NO_INTERPRETER_LINE, NULL },
	{ LINE("echo h\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n"), ERRPIPE_FORMAT_TEXT,
	  ERRPIPE_CAUSE_NO_INTERPRETER_LINE, NULL },
	{ LINE("echo \xc3"), ERRPIPE_FORMAT_UNKNOWN, ERRPIPE_CAUSE_UNKNOWN_FORMAT, NULL },
	{ LINE("echo \xc3(\n"), ERRPIPE_FORMAT_UNKNOWN, ERRPIPE_CAUSE_UNKNOWN_FORMAT, NULL },
	{ LINE("echo \xff\n"), ERRPIPE_FORMAT_UNKNOWN, ERRPIPE_CAUSE_UNKNOWN_FORMAT, NULL },
	{ LINE("echo\0"), ERRPIPE_FORMAT_UNKNOWN, ERRPIPE_CAUSE_UNKNOWN_FORMAT, NULL },
	{ LINE("\x7f"
	       "EL"),
	  ERRPIPE_FORMAT_UNKNOWN, ERRPIPE_CAUSE_UNKNOWN_FORMAT, NULL },
	{ LINE("\xef\xbb\xbf#!/bin/sh\n"), ERRPIPE_FORMAT_BYTE_ORDER_MARK, ERRPIPE_CAUSE_BYTE_ORDER_MARK, NULL },
	{ LINE("\xff\xfe#\0!\0"), ERRPIPE_FORMAT_UTF_16, ERRPIPE_CAUSE_UTF_16, NULL },
	{ LINE("\xfe\xff\0#\0!"), ERRPIPE_FORMAT_UTF_16, ERRPIPE_CAUSE_UTF_16, NULL },
	{ LINE("MZ\x90\0"), ERRPIPE_FORMAT_PE, ERRPIPE_CAUSE_WINDOWS_PROGRAM, NULL },
	{ LINE("MZ is a text\n"), ERRPIPE_FORMAT_TEXT, ERRPIPE_CAUSE_NO_INTERPRETER_LINE, NULL },
	{ LINE("\xfe\xed\xfa\xce"), ERRPIPE_FORMAT_MACH_O, ERRPIPE_CAUSE_MACOS_PROGRAM, NULL },
	{ LINE("\xfe\xed\xfa\xcf"), ERRPIPE_FORMAT_MACH_O, ERRPIPE_CAUSE_MACOS_PROGRAM, NULL },
	{ LINE("\xce\xfa\xed\xfe"), ERRPIPE_FORMAT_MACH_O, ERRPIPE_CAUSE_MACOS_PROGRAM, NULL },
	{ LINE("\xcf\xfa\xed\xfe"), ERRPIPE_FORMAT_MACH_O, ERRPIPE_CAUSE_MACOS_PROGRAM, NULL },
	{ LINE("\xca\xfe\xba\xbe\0\0\0\2"), ERRPIPE_FORMAT_MACH_O, ERRPIPE_CAUSE_MACOS_PROGRAM, NULL },
	{ LINE("\xca\xfe\xba\xbf\0\0\0\2"), ERRPIPE_FORMAT_MACH_O, ERRPIPE_CAUSE_MACOS_PROGRAM, NULL },
	{ LINE("\xca\xfe\xba\xbe\0\0\0\x34"), ERRPIPE_FORMAT_JAVA_CLASS, ERRPIPE_CAUSE_JAVA_CLASS, NULL },
	{ LINE("\xca\xfe\xba\xbe\xff\xff\0\x3d"), ERRPIPE_FORMAT_JAVA_CLASS, ERRPIPE_CAUSE_JAVA_CLASS, NULL },
	{ LINE("\0asm\1\0\0\0"), ERRPIPE_FORMAT_WEBASSEMBLY, ERRPIPE_CAUSE_WEBASSEMBLY, NULL },
	{ LINE("\x1f\x8b\x08"), ERRPIPE_FORMAT_GZIP, ERRPIPE_CAUSE_ARCHIVE, "a gzip archive" },
	{ LINE("\xfd\x37zXZ\0\0"), ERRPIPE_FORMAT_XZ, ERRPIPE_CAUSE_ARCHIVE, "an xz archive" },
	{ LINE("\x28\xb5\x2f\xfd"), ERRPIPE_FORMAT_ZSTD, ERRPIPE_CAUSE_ARCHIVE, "a zstd archive" },
	{ LINE("BZh91AY&SY\xff"), ERRPIPE_FORMAT_BZIP2, ERRPIPE_CAUSE_ARCHIVE, "a bzip2 archive" },
	{ LINE("BZh is a text\n"), ERRPIPE_FORMAT_TEXT, ERRPIPE_CAUSE_NO_INTERPRETER_LINE, NULL },
	{ LINE("PK\3\4"), ERRPIPE_FORMAT_ZIP, ERRPIPE_CAUSE_ARCHIVE, "a zip archive" },
	{ LINE("PK\5\6"), ERRPIPE_FORMAT_ZIP, ERRPIPE_CAUSE_ARCHIVE, "a zip archive" },
	{ LINE("!<arch>\nx/              0\n"), ERRPIPE_FORMAT_AR, ERRPIPE_CAUSE_ARCHIVE, "an ar archive" },
};

START_TEST(a_format)
{
	struct ep_head head = head_of(files[_i].bytes, files[_i].size);
	struct errpipe_link *link = begin();

	link->format = ep_format(&head);
	ck_assert_int_eq(link->format, files[_i].format);
	ck_assert_int_eq(ep_no_format(&c, link), -1);
	ck_assert_int_eq(ex.cause, files[_i].cause);
	ck_assert_int_eq(ex.error, ENOEXEC);
	ck_assert_ptr_null(ex.object);
	if (files[_i].words)
		assert_said(&ex, files[_i].words);
}
END_TEST

/* The part of the header that all versions of tar share. */
START_TEST(a_tar_archive)
{
	char bytes[512] = "folder/file";
	struct ep_head head;

	strcpy(bytes + 100, "0000644");
	strcpy(bytes + 108, "0001750");
	strcpy(bytes + 116, "0001750");
	memcpy(bytes + 124, "00000000014 ", 12);
	memcpy(bytes + 136, "14371573013 ", 12);
	memcpy(bytes + 148, "013117\0 ", 8);
	head = head_of(bytes, sizeof(bytes));
	ck_assert_int_eq(ep_format(&head), ERRPIPE_FORMAT_TAR);
	memcpy(bytes + 124, "         14 ", 12); /* the format of the first versions */
	head = head_of(bytes, sizeof(bytes));
	ck_assert_int_eq(ep_format(&head), ERRPIPE_FORMAT_TAR);
	head = head_of(bytes, 255);
	ck_assert_int_eq(ep_format(&head), ERRPIPE_FORMAT_UNKNOWN);
	bytes[148] = '8';
	head = head_of(bytes, sizeof(bytes));
	ck_assert_int_eq(ep_format(&head), ERRPIPE_FORMAT_UNKNOWN);
}
END_TEST

/* The head may end within a character. */
START_TEST(text_that_goes_on)
{
	char bytes[EP_HEAD_SIZE];
	struct ep_head head;

	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes + sizeof(bytes) - 2, "\xe2\x82", 2);
	head = head_of(bytes, sizeof(bytes));
	ck_assert_int_eq(ep_format(&head), ERRPIPE_FORMAT_TEXT);
	head = head_of(bytes, sizeof(bytes) - 1);
	ck_assert_int_eq(ep_format(&head), ERRPIPE_FORMAT_UNKNOWN);
}
END_TEST

START_TEST(every_format_has_words)
{
	struct errpipe_link *link = begin();
	char line[64];

	ex.links = 1;
	for (int format = ERRPIPE_FORMAT_EMPTY; format <= ERRPIPE_FORMAT_UNKNOWN; format++) {
		link->format = format;
		ck_assert_int_gt(errpipe_link_words(line, sizeof(line), &ex, 0), 0);
	}
	link->format = ERRPIPE_FORMAT_SCRIPT;
	errpipe_link_words(line, sizeof(line), &ex, 0);
	ck_assert_str_eq(line, "script");
}
END_TEST

/* --- machines --------------------------------------------------------------------------------- */

static const struct {
	unsigned machine, elf_class, elf_data;
	const char *name, *platform, *debian;
} machines[] = {
	{ EM_X86_64, 2, 1, "x86_64", "linux/amd64", "amd64" },
	{ EM_X86_64, 1, 1, "x32", NULL, "x32" },
	{ EM_386, 1, 1, "i386", "linux/386", "i386" },
	{ EM_AARCH64, 2, 1, "aarch64", "linux/arm64", "arm64" },
	{ EM_ARM, 1, 1, "arm", "linux/arm", "armhf" },
	{ 243, 2, 1, "riscv64", "linux/riscv64", "riscv64" },
	{ 243, 1, 1, "riscv32", NULL, NULL },
	{ EM_S390, 2, 2, "s390x", "linux/s390x", "s390x" },
	{ EM_S390, 1, 2, "s390", NULL, NULL },
	{ EM_PPC64, 2, 1, "ppc64le", "linux/ppc64le", "ppc64el" },
	{ EM_PPC64, 2, 2, "ppc64", NULL, "ppc64" },
	{ EM_PPC, 1, 2, "ppc", NULL, "powerpc" },
	{ EM_MIPS, 1, 2, "mips", NULL, "mips" },
	{ EM_MIPS, 1, 1, "mipsel", NULL, "mipsel" },
	{ EM_MIPS, 2, 2, "mips64", NULL, "mips64" },
	{ EM_MIPS, 2, 1, "mips64el", "linux/mips64le", "mips64el" },
	{ 258, 2, 1, "loongarch64", "linux/loong64", "loong64" },
	{ 0x9026, 2, 1, "alpha", NULL, "alpha" },
};

START_TEST(a_machine)
{
	const struct ep_machine *machine =
		ep_machine(machines[_i].machine, machines[_i].elf_class, machines[_i].elf_data);

	ck_assert_ptr_nonnull(machine);
	ck_assert_str_eq(machine->name, machines[_i].name);
	ck_assert_str_eq(machine->platform ? machine->platform : "",
			 machines[_i].platform ? machines[_i].platform : "");
	ck_assert_str_eq(machine->debian ? machine->debian : "", machines[_i].debian ? machines[_i].debian : "");
}
END_TEST

START_TEST(no_machine)
{
	ck_assert_ptr_null(ep_machine(0, 2, 1));
	ck_assert_ptr_null(ep_machine(0x4242, 2, 1));
	ck_assert_ptr_null(ep_machine(EM_MIPS, 0, 1));
}
END_TEST

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { OWN_ORDER = 1 };
#else
enum { OWN_ORDER = 2 };
#endif

/* The personality changes the answer of uname(2), but not the programs that the kernel can run. */
static const struct {
	const char *uname;
	bool told_32_bit;
	unsigned machine, elf_class;
} kernels[] = {
	{ "x86_64", false, EM_X86_64, 2 }, { "i686", false, EM_386, 1 },	{ "i686", true, EM_X86_64, 2 },
	{ "ia64", false, EM_IA_64, 2 },	   { "aarch64", false, EM_AARCH64, 2 }, { "armv7l", false, EM_ARM, 1 },
	{ "armv8l", true, EM_AARCH64, 2 }, { "riscv64", false, 243, 2 },	{ "s390x", false, EM_S390, 2 },
	{ "s390", true, EM_S390, 2 },	   { "ppc64le", false, EM_PPC64, 2 },	{ "ppc", false, EM_PPC, 1 },
	{ "ppc", true, EM_PPC64, 2 },	   { "mips", false, EM_MIPS, 1 },	{ "mips64", false, EM_MIPS, 2 },
	{ "mips", true, EM_MIPS, 2 },	   { "sh4", false, EM_SH, 1 },		{ "a new one", false, 0, 0 },
};

START_TEST(the_kernel_by_its_name)
{
	const struct ep_machine *kernel = ep_kernel_machine(kernels[_i].uname, kernels[_i].told_32_bit);
	const struct ep_machine *expected = ep_machine(kernels[_i].machine, kernels[_i].elf_class, OWN_ORDER);

	ck_assert_uint_eq(kernel->machine, kernels[_i].machine);
	ck_assert(!kernel->machine == !kernel->name);
	if (expected)
		ck_assert_ptr_eq(kernel, expected);
}
END_TEST

static enum ep_support support_of(unsigned machine, unsigned elf_class, unsigned elf_data)
{
	struct errpipe_link link = { .machine = machine, .elf_class = elf_class, .elf_data = elf_data };

	return ep_support(&link);
}

static unsigned own_class(void)
{
	return sizeof(long) == 8 ? 2 : 1;
}

START_TEST(what_this_kernel_runs)
{
	ck_assert_int_eq(support_of(own_machine(), own_class(), OWN_ORDER), EP_NATIVE);
	ck_assert_int_eq(support_of(own_machine(), own_class(), 3 - OWN_ORDER), EP_FOREIGN);
	ck_assert_int_eq(support_of(0x4242, own_class(), OWN_ORDER), EP_FOREIGN);
	ck_assert_uint_eq(ep_class_for_kernel(own_machine(), own_class()), own_class());
	ck_assert_uint_eq(ep_class_for_kernel(0x4242, own_class()), 0);
#ifdef __x86_64__
	ck_assert_int_ne(support_of(EM_386, 1, 1), EP_FOREIGN);
	ck_assert_int_ne(support_of(EM_386, 1, 1), EP_NATIVE);
	ck_assert_int_ne(support_of(EM_X86_64, 1, 1), EP_FOREIGN);
	ck_assert_int_eq(support_of(EM_AARCH64, 2, 1), EP_FOREIGN);
	ck_assert_uint_eq(ep_class_for_kernel(EM_386, 2), 1);
	ck_assert_uint_eq(ep_class_for_kernel(EM_X86_64, 0), 2);
	ck_assert_uint_eq(ep_class_for_kernel(EM_X86_64, 1), 1);
#endif
}
END_TEST

static void check_personality(int i)
{
	const struct ep_machine *before = ep_host_machine();

	(void)i;
	ck_assert_int_ne(personality(PER_LINUX32), -1);
	ck_assert_ptr_eq(ep_host_machine(), before);
	ck_assert_int_eq(personality(0xffffffff) & 0xff, PER_LINUX32);
}

START_TEST(a_personality_of_32_bits)
{
	if (sizeof(long) == 8)
		in_child(check_personality, 0);
	ck_assert_uint_eq(ep_host_machine()->machine, own_machine());
}
END_TEST

/* --- loaders ---------------------------------------------------------------------------------- */

static const struct {
	const char *loader;
	unsigned machine, elf_class, elf_data;
	const char *there;
	enum errpipe_cause cause;
	const char *object, *words;
} missing[] = {
	{ "/lib/ld-linux-aarch64.so.1", EM_AARCH64, 2, 1, "lib/ld-musl-aarch64.so.1",
	  ERRPIPE_CAUSE_LOADER_OF_OTHER_LIBC, "/lib/ld-musl-aarch64.so.1",
	  "needs glibc, but the image has musl: \"/lib/ld-linux-aarch64.so.1\" does not exist" },
	{ "/lib64/ld-linux-x86-64.so.2", EM_X86_64, 2, 1, "lib/ld-musl-x86_64.so.1",
	  ERRPIPE_CAUSE_LOADER_OF_OTHER_LIBC, "/lib/ld-musl-x86_64.so.1",
	  "needs glibc, but the image has musl: \"/lib64/ld-linux-x86-64.so.2\" does not exist" },
	{ "/lib/ld-musl-x86_64.so.1", EM_X86_64, 2, 1, "lib64/ld-linux-x86-64.so.2",
	  ERRPIPE_CAUSE_LOADER_OF_OTHER_LIBC, "/lib64/ld-linux-x86-64.so.2",
	  "needs musl, but the image has glibc: \"/lib/ld-musl-x86_64.so.1\" does not exist" },
	{ "/opt/ld-linux-x86-64.so.2", EM_X86_64, 2, 1, "lib/ld-musl-x86_64.so.1", ERRPIPE_CAUSE_LOADER_OF_OTHER_LIBC,
	  "/lib/ld-musl-x86_64.so.1",
	  "needs glibc, but the image has musl: \"/opt/ld-linux-x86-64.so.2\" does not exist" },
	{ "/opt/ld-linux-x86-64.so.2", EM_X86_64, 2, 1, "lib64/ld-linux-x86-64.so.2", ERRPIPE_CAUSE_LOADER_MISSING,
	  "/lib64/ld-linux-x86-64.so.2", "patchelf --set-interpreter /lib64/ld-linux-x86-64.so.2" },
	{ "/lib64/ld-linux-x86-64.so.2", EM_X86_64, 2, 1, "usr/lib64/ld-linux-x86-64.so.2",
	  ERRPIPE_CAUSE_LOADER_MISSING, "/usr/lib64/ld-linux-x86-64.so.2", "a symlink into /usr again" },
	/* A loader for another machine does not count. */
	{ "/lib/ld-linux.so.2", EM_386, 1, 1, "lib/ld-musl-x86_64.so.1", ERRPIPE_CAUSE_LOADER_OF_OTHER_ABI,
	  "libc6:i386", "on Debian: dpkg --add-architecture i386, then install libc6:i386" },
	{ "/lib/ld-linux.so.3", EM_ARM, 1, 1, NULL, ERRPIPE_CAUSE_LOADER_OF_OTHER_ABI, "libc6:armel",
	  "on Debian: dpkg --add-architecture armel, then install libc6:armel" },
	{ "/lib/ld-linux.so.2", 0x9026, 2, 1, NULL, ERRPIPE_CAUSE_LOADER_OF_OTHER_ABI, "libc6.1:alpha",
	  "on Debian: dpkg --add-architecture alpha, then install libc6.1:alpha" },
	{ "/libx32/ld-linux-x32.so.2", EM_X86_64, 1, 1, NULL, ERRPIPE_CAUSE_LOADER_OF_OTHER_ABI, "libc6-x32",
	  "install libc6-x32 (on Debian)" },
	{ "/nix/store/xyz-glibc/lib/ld-linux-x86-64.so.2", EM_X86_64, 2, 1, "lib/ld-musl-x86_64.so.1",
	  ERRPIPE_CAUSE_LOADER_MISSING, "Nix",
	  "run it with Nix, or patchelf --set-interpreter to an existing loader, or link" },
	{ "/system/bin/linker64", EM_AARCH64, 2, 1, NULL, ERRPIPE_CAUSE_LOADER_MISSING, "Android",
	  "it is built for Android (bionic): get a build for other Linux systems, or link" },
	{ "/libexec/ld-elf.so.1", EM_X86_64, 2, 1, NULL, ERRPIPE_CAUSE_LOADER_MISSING, "FreeBSD",
	  "get a build for this system, not for FreeBSD, or link" },
	{ "/somewhere/else", EM_X86_64, 2, 1, "lib/ld-musl-x86_64.so.1", ERRPIPE_CAUSE_LOADER_MISSING, NULL, NULL },
	{ "", EM_X86_64, 2, 1, NULL, ERRPIPE_CAUSE_LOADER_MISSING, NULL, NULL },
#ifdef __x86_64__
	{ "/lib64/ld-linux-x86-64.so.2", EM_X86_64, 2, 1, NULL, ERRPIPE_CAUSE_LOADER_MISSING, "libc6",
	  "install libc6 (Debian) or gcompat (Alpine), or link" },
	{ "/lib64/ld-linux-x86-64.so.2", EM_X86_64, 2, 1, "lib/ld-musl-aarch64.so.1", ERRPIPE_CAUSE_LOADER_MISSING,
	  "libc6", "install libc6 (Debian) or gcompat (Alpine), or link" },
	{ "/lib/ld-musl-x86_64.so.1", EM_X86_64, 2, 1, NULL, ERRPIPE_CAUSE_LOADER_MISSING, "musl",
	  "install musl, or link" },
#endif
};

START_TEST(a_loader_that_is_missing)
{
	struct errpipe_link *program = begin(), *link = &ex.link[1];
	const struct ep_machine *machine =
		ep_machine(missing[_i].machine, missing[_i].elf_class, missing[_i].elf_data);
	char line[256];
	int fd;

	program->format = ERRPIPE_FORMAT_ELF;
	program->machine = missing[_i].machine;
	program->elf_class = missing[_i].elf_class;
	program->elf_data = missing[_i].elf_data;
	program->architecture = machine->name;
	ex.links = 2;
	link->kind = ERRPIPE_LINK_LOADER;
	link->path = missing[_i].loader;
	mkdir(path_of("root"), 0755);
	mkdir(path_of("root/lib"), 0755);
	mkdir(path_of("root/lib64"), 0755);
	mkdir(path_of("root/usr"), 0755);
	mkdir(path_of("root/usr/lib64"), 0755);
	c.root = open(path_of("root"), O_PATH | O_CLOEXEC);
	ck_assert_int_ge(c.root, 0);
	c.steps = 1000;
	if (missing[_i].there) {
		fd = openat(c.root, missing[_i].there, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
		ck_assert_int_ge(fd, 0);
		close(fd);
	}
	ep_finding_set(&c, link,
		       (struct ep_finding){ .cause = ERRPIPE_CAUSE_MISSING, .error = ENOENT, .subject = link->path });
	ep_loader_missing(&c, link, program);
	if (missing[_i].there)
		ck_assert_int_eq(unlinkat(c.root, missing[_i].there, 0), 0);
	close(c.root);
	ck_assert_str_eq(errpipe_cause_name(ex.cause), errpipe_cause_name(missing[_i].cause));
	ck_assert_str_eq(ex.object ? ex.object : "", missing[_i].object ? missing[_i].object : "");
	if (missing[_i].words)
		assert_said(&ex, missing[_i].words);
	else
		ck_assert_int_eq(ex.detail, ERRPIPE_DETAIL_NONE);
	ck_assert_int_eq(ex.error, ENOENT);
	ck_assert_int_eq(ex.broken, 1);
	errpipe_link_words(line, sizeof(line), &ex, 1);
	ck_assert_str_eq(line, "missing");
}
END_TEST

static Suite *explain_script_suite(void)
{
	Suite *suite = suite_create("explain_script");
	TCase *tcase = tcase_create("explain_script");

	tcase_set_timeout(tcase, getenv("ERRPIPE_MUTATIONS") ? 3600 : 120);
	tcase_add_loop_test(tcase, a_line, 0, COUNT(lines));
	tcase_add_loop_test(tcase, a_bare_line, 0, COUNT(bare_lines));
	tcase_add_loop_test(tcase, a_name_of_that_length, 0, 10);
	tcase_add_test(tcase, nothing_but_blanks);
	tcase_add_test(tcase, what_the_kernel_makes_of_it);
	tcase_add_loop_test(tcase, a_format, 0, COUNT(files));
	tcase_add_test(tcase, a_tar_archive);
	tcase_add_test(tcase, text_that_goes_on);
	tcase_add_test(tcase, every_format_has_words);
	tcase_add_loop_test(tcase, a_machine, 0, COUNT(machines));
	tcase_add_test(tcase, no_machine);
	tcase_add_loop_test(tcase, the_kernel_by_its_name, 0, COUNT(kernels));
	tcase_add_test(tcase, what_this_kernel_runs);
	tcase_add_test(tcase, a_personality_of_32_bits);
	tcase_add_loop_test(tcase, a_loader_that_is_missing, 0, COUNT(missing));
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	fixture = fixture_make();
	return run_suite(explain_script_suite());
}
