/* SPDX-License-Identifier: MIT */
/*
 * errpipe_decode(), and the functions that use a report, for libFuzzer. dmz/decode_test.go takes the same inputs:
 *
 *	size (1 byte, 255: all of the rest), that many bytes: perhaps a record
 *	the rest: the path
 *
 * errpipe_decode() either refuses the bytes and leaves the report unchanged, or the report matches the record.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/stat.h>

#include "dmz/record.h"
#include "errpipe.h"
#include "fuzz.h"

struct told {
	const struct errpipe_report *report;
	const char *path;
};

static size_t message(char *buf, size_t size, const void *of)
{
	const struct told *told = of;

	return errpipe_message(buf, size, told->report, told->path);
}

static void put(unsigned char *to, unsigned value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = value >> 8 * i;
}

/* Encode the report by docs/protocol.md, and compare. */
static void check_same(const struct errpipe_report *report, const struct input *record)
{
	unsigned char bytes[DMZ_RECORD_SIZE] = { 'd', 'm', 'z', 1 };

	must(record->size == sizeof(bytes), "a record has 16 bytes");
	put(bytes + 4, report->machine, 2);
	put(bytes + 6, report->step, 2);
	put(bytes + 8, report->raw_error, 4);
	must(memcmp(bytes, record->bytes, sizeof(bytes)) == 0, "the report matches the record");
}

static void check_fields(const struct errpipe_report *report)
{
	bool callers = report->step >= ERRPIPE_STEP_CALLER && report->step <= ERRPIPE_STEP_CALLER_LAST;

	must(report->verdict == (report->step ? ERRPIPE_SETUP_FAILED : ERRPIPE_EXEC_FAILED),
	     "the verdict follows from the step");
	must(report->step <= ERRPIPE_STEP_FCNTL || report->step >= ERRPIPE_STEP_SETUP, "the step is not reserved");
	must(report->machine > 0, "the report has a machine");
	must(report->raw_error >= callers && report->raw_error <= DMZ_ERROR_MAX, "the errno is in range");
	must(report->error >= 0 && report->error <= DMZ_ERROR_MAX, "this host's errno is in range");
	must(report->raw_error || !report->error, "no errno is made up");
	must(report->status == -1, "the process's status is unknown");
}

/* Every policy gives its own exit code, even for a forged record. */
static void check_exit_codes(const struct errpipe_report *report)
{
	bool set_up = report->verdict == ERRPIPE_SETUP_FAILED;
	int posix = errpipe_exit_code(report, ERRPIPE_POSIX), dockerd = errpipe_exit_code(report, ERRPIPE_DOCKERD);
	int systemd = errpipe_exit_code(report, ERRPIPE_SYSTEMD);

	must(posix == (set_up ? 125 : report->error == ENOENT ? 127 : 126), "the exit code is a shell's");
	must(set_up ? dockerd == 125 : dockerd >= 126 && dockerd <= 128, "the exit code is dockerd's");
	must(errpipe_exit_code(report, ERRPIPE_RUNC) == 255, "the exit code is runc's");
	must(systemd == 203 || (set_up && systemd >= 200 && systemd <= 242), "the exit code is systemd's");
}

static void check_words(const struct errpipe_report *report, const char *path, size_t room)
{
	const char *name = errpipe_errname(report->error), *words = errpipe_strerror(report->error);
	char *line = line_of(message, &(struct told){ report, path }, room);

	must(strncmp(line, "exec ", 5) == 0, "a message begins with exec");
	must(!name || (*name == 'E' && is_harmless(name, "")), "an errno has a name");
	must(*words && is_harmless(words, ""), "an errno has words");
	must(report->verdict != ERRPIPE_EXEC_FAILED || !report->error || strstr(line, words),
	     "a message contains the errno's words");
	must(report->verdict == ERRPIPE_EXEC_FAILED || !report->error || !name || strstr(line, name),
	     "a message contains the errno's name");
	free(line);
}

/* errpipe_read() gives the same result through a pipe. */
static void check_read(const struct input *record, int decoded, const struct errpipe_report *report)
{
	struct errpipe_report read;
	int fd[2], ret;

	if (errpipe_pipe(fd) < 0)
		give_up("errpipe_pipe");
	if (record->size && write(fd[1], record->bytes, record->size) != (ssize_t)record->size)
		give_up("write");
	close(fd[1]);
	ret = errpipe_read(fd[0], &read);
	close(fd[0]);
	if (!record->size)
		must(ret == 1 && read.verdict == ERRPIPE_STARTED, "end of file is success");
	else
		must(ret == (decoded < 0 ? decoded : 1), "read and decode give the same result");
	must(ret < 0 || !record->size || memcmp(&read, report, sizeof(read)) == 0,
	     "read and decode give the same report");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input input = { bytes, size }, record;
	struct errpipe_report report, before;
	unsigned length = take(&input);
	void *copy;
	int ret;

	record = take_part(&input, length == 255 ? input.size : length);
	memset(&report, 0x5a, sizeof(report));
	before = report;
	copy = exactly(record.bytes, record.size);
	ret = errpipe_decode(copy, record.size, &report);
	free(copy);
	must(ret == 0 || ret == -EPROTO, "the result is 0 or -EPROTO");
	if (ret < 0) {
		must(memcmp(&report, &before, sizeof(report)) == 0, "refused bytes leave the report unchanged");
	} else {
		char *path = string_of(&input);

		check_same(&report, &record);
		check_fields(&report);
		check_exit_codes(&report);
		check_words(&report, path, input.size % 64);
		free(path);
	}
	check_read(&record, ret, &report);
	return 0;
}
