/* SPDX-License-Identifier: MIT */
/*
 * Only the ELF readers, for libFuzzer. The input:
 *
 *	options (1 byte), the enum below
 *	class, byte order (1 each) and machine (2) of the program, if the file is a loader
 *	the rest: the file
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "explain/facts/elf_file.h"
#include "explain/kernel/kernel.h"
#include "fuzz.h"

enum { LOADER = 1, KILLED = 2, BY_SIGBUS = 4, FAILED = 8, SMALL_LIMIT = 16, LENGTH_UNKNOWN = 32 };

static struct errpipe_explanation ex;

/* Write the whole file. */
static void put_all(int fd, const struct input *file)
{
	if (ftruncate(fd, 0) < 0 || (file->size && pwrite(fd, file->bytes, file->size, 0) != (ssize_t)file->size))
		give_up("memfd");
}

static struct ep_head head_of(const struct input *file)
{
	struct ep_head head = { .size = file->size };

	if (head.size > sizeof(head.bytes))
		head.size = sizeof(head.bytes);
	if (head.size)
		memcpy(head.bytes, file->bytes, head.size);
	return head;
}

/* Both a string in the arena and a constant are terminated. */
static void check_string(const char *string)
{
	const char *end = ex.strings + sizeof(ex.strings);

	if (string >= ex.strings && string < end)
		must(memchr(string, '\0', end - string) != NULL, "a string ends");
	else if (string)
		must(strlen(string) < sizeof(ex.strings), "a constant is short");
}

static bool is_about_segment(enum errpipe_cause cause)
{
	return cause >= ERRPIPE_CAUSE_SEGMENT_SIZE && cause <= ERRPIPE_CAUSE_SEGMENT_ADDRESS;
}

static unsigned count_of(const struct errpipe_link *link, const struct ep_head *head)
{
	struct ep_elf elf;

	ep_elf_open(&elf, link, -1, head);
	return elf.count;
}

static void check_broken(const struct errpipe_link *link, const struct ep_head *head)
{
	must(ex.broken == link - ex.link, "this link is the broken one");
	must(errpipe_cause_name(ex.cause) != NULL, "the cause has a name");
	must(ex.error >= 0 && ex.error < 4096, "the errno is in range");
	check_string(ex.subject);
	check_string(ex.object);
	if (is_about_segment(ex.cause))
		must(ex.number < count_of(link, head), "the segment exists in the file");
	if (ex.cause == ERRPIPE_CAUSE_TRUNCATED_ELF && link->size)
		must(ex.number < ex.limit, "a truncated file needs more bytes than it has");
	if (ex.cause == ERRPIPE_CAUSE_ADDRESS_SPACE && ex.limit)
		must(ex.number > ex.limit, "the program needs more than the limit");
}

/* The reader returns -1 if and only if it found a cause. */
static void check(int ret, const struct errpipe_link *link, const struct ep_head *head)
{
	must(ret == 0 || ret == -1, "the result is 0 or -1");
	must((ret < 0) == (ex.cause != ERRPIPE_CAUSE_NONE), "a broken link has a cause");
	must(link->elf_class <= ELFCLASS64 && link->elf_data <= ELFDATA2MSB, "class and byte order are known or 0");
	if (ret < 0)
		check_broken(link, head);
}

/* Avoids a process for each input. */
enum ep_answer __wrap_ep_runs(const struct errpipe_link *link, uint32_t flags)
{
	must(ep_support(link) == EP_COMPATIBLE, "only COMPATIBLE programs are tried");
	return flags % 3;
}

/* The name of the loader is in the file, including its NUL. */
static void check_next(const struct ep_next *next, const struct input *file)
{
	if (!next->kind)
		return;
	must(next->kind == ERRPIPE_LINK_LOADER, "a loader comes next");
	check_string(next->path);
	must(*next->path && strlen(next->path) < 4096, "its name has a possible length");
	must(memmem(file->bytes, file->size, next->path, strlen(next->path) + 1) != NULL, "its name is in the file");
}

/* The kernel's conditions for a program that it accepts. */
static void check_taken(const struct errpipe_link *link, const struct ep_head *head, const struct input *file,
			const struct ep_next *next)
{
	struct ep_elf elf;

	ep_elf_open(&elf, link, -1, head);
	must(link->type == ET_EXEC || link->type == ET_DYN, "the file is a program");
	must(ep_support(link) != EP_FOREIGN, "the program is for this machine");
	must(elf.count && elf.table <= file->size && ep_elf_table_size(&elf) <= file->size - elf.table,
	     "its program headers are in the file");
	must(!link->dynamic == !next->kind, "a dynamic program has a loader");
}

static struct errpipe_report report_of(unsigned options)
{
	if (options & FAILED)
		return (struct errpipe_report){ .verdict = ERRPIPE_EXEC_FAILED, .error = 8, .status = -1 };
	return (struct errpipe_report){ .verdict = ERRPIPE_STARTED,
					.status = options & BY_SIGBUS ? SIGBUS : SIGSEGV };
}

static struct errpipe_link *begin(struct ep_check *c, unsigned options, struct input *input)
{
	struct errpipe_link *link = &ex.link[options & LOADER];

	memset(&ex, 0, offsetof(struct errpipe_explanation, strings));
	ex.links = 2;
	ex.broken = -1;
	ex.link[0].kind = ERRPIPE_LINK_PROGRAM;
	ex.link[1].kind = ERRPIPE_LINK_LOADER;
	ex.link[0].elf_class = take(input) % 3;
	ex.link[0].elf_data = take(input) % 3;
	ex.link[0].machine = take_16(input);
	if (!(options & LOADER))
		ex.link[0] = (struct errpipe_link){ .kind = ERRPIPE_LINK_PROGRAM };
	link->path = "/x";
	link->format = ERRPIPE_FORMAT_ELF;
	link->size = options & LENGTH_UNKNOWN ? 0 : input->size;
	c->ex = &ex;
	c->who = (struct errpipe_who){ .uid = 1000, .gid = 1000, .bounding = ~0ULL };
	return link;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int fd = -1;
	struct input input = { bytes, size };
	unsigned options = take(&input);
	struct errpipe_report report = report_of(options);
	struct errpipe_question question = { .path = "/x",
					     .report = options & (KILLED | FAILED) ? &report : NULL,
					     .limit_address_space = options & SMALL_LIMIT ? 1 << 20 : 0 };
	struct ep_check c = { .question = &question };
	struct errpipe_link *link = begin(&c, options, &input);
	struct ep_next next = { 0 };
	struct ep_head head;
	int descriptor, ret;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	put_all(fd, &input);
	head = head_of(&input);
	if (ep_format(&head) != ERRPIPE_FORMAT_ELF && !(options & LOADER))
		return -1;
	link->format = ep_format(&head);
	descriptor = lowest_free();
	ret = options & LOADER ? ep_elf_loader(&c, link, fd, &head) : ep_elf(&c, link, fd, &head, &next);
	check(ret, link, &head);
	check_next(&next, &input);
	if (ret == 0 && !(options & LOADER))
		check_taken(link, &head, &input, &next);
	if (ret == 0)
		check(ep_elf_segments(&c, link, fd, &head), link, &head);
	must(lowest_free() == descriptor, "no descriptor is left");
	return 0;
}
