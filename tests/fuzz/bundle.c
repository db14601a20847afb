/* SPDX-License-Identifier: MIT */
/* bundle_read() on any bytes as config.json, for libFuzzer: it does not leak, and prints a line on standard error if it fails. */
#define _GNU_SOURCE
#include <sys/stat.h>

#include "cmd/cmd.h"
#include "fuzz.h"

enum { NOBODY = -1 };

static void check_strings(char *const *strings)
{
	for (; strings && *strings; strings++)
		must(strlen(*strings) < 1 << 22, "a string ends");
}

/* Ids are never -1, which stands for none. */
static void check_bundle(const struct bundle *bundle)
{
	const struct errpipe_who *who = &bundle->who;

	check_strings(bundle->args);
	check_strings(bundle->env);
	must(who->uid != (uid_t)NOBODY && who->gid != (gid_t)NOBODY, "ids are valid");
	must(!who->groups_count || who->groups, "the groups exist");
	for (size_t i = 0; i < who->groups_count; i++)
		must(who->groups[i] != (gid_t)NOBODY, "the group is valid");
	must(who->no_new_privs == 0 || who->no_new_privs == 1, "no_new_privs is true or false");
	for (size_t i = 0; i < bundle->mounts_count; i++)
		must(bundle->mounts[i].at != NULL, "a mount has a destination");
}

/* The message is one line without control characters. */
static void check_message(const char *text)
{
	const char *end = strchr(text, '\n');

	must(strncmp(text, "errpipe: ", 9) == 0, "the message begins with errpipe's name");
	must(end && !end[1], "the message is one line");
	must(is_harmless(text, "\n"), "the message has no control characters");
}

/* Stay in this process, which the sanitizers watch. */
int __wrap_work_apart(int (*work)(void *data), void *data, int milliseconds)
{
	must(milliseconds > 0, "every wait has a limit");
	return work(data);
}

/* Stores the message in malloc'd *text. */
static int read_bundle(struct bundle *bundle, char **text)
{
	FILE *before = stderr;
	size_t size;
	int ret;

	stderr = open_memstream(text, &size);
	if (!stderr)
		give_up("open_memstream");
	ret = bundle_read(bundle, base, 1000);
	fclose(stderr);
	stderr = before;
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int directory = -1;
	struct bundle bundle;
	int descriptor, ret;
	char *text;

	if (directory < 0)
		directory = make_base();
	if (!put_file(directory, "config.json", bytes, size, 0644))
		give_up("config.json");
	descriptor = lowest_free();
	ret = read_bundle(&bundle, &text);
	must(ret == 0 || ret == -1, "the result is 0 or -1");
	if (ret == 0) {
		must(!*text, "a usable bundle prints no message");
		check_bundle(&bundle);
	} else {
		check_message(text);
	}
	bundle_free(&bundle);
	free(text);
	must(lowest_free() == descriptor, "no descriptor is left");
	return 0;
}
