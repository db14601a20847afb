/* SPDX-License-Identifier: MIT */
/* bundle_read() on any bytes as config.json, for libFuzzer: without leaks, and with a line on standard error if it fails. */
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

/* Every limit is one that is asked for, as 0 would be the caller's; and no id is the one that is nobody's. */
static void check_bundle(const struct bundle *bundle)
{
	const struct errpipe_who *who = &bundle->who;

	must(bundle->root != NULL, "there is a root");
	check_strings(bundle->args);
	check_strings(bundle->env);
	must(who->uid != (uid_t)NOBODY && who->gid != (gid_t)NOBODY, "ids are somebody's");
	must(!who->groups_count || who->groups, "groups are there");
	for (size_t i = 0; i < who->groups_count; i++)
		must(who->groups[i] != (gid_t)NOBODY, "the group is somebody's");
	must(who->no_new_privs == 0 || who->no_new_privs == 1, "no_new_privs is true or false");
	for (size_t i = 0; i < bundle->mounts_count; i++)
		must(bundle->mounts[i].at != NULL, "a mount is somewhere");
}

/* One line for people, and nothing for the terminal. */
static void check_message(const char *text)
{
	const char *end = strchr(text, '\n');

	must(strncmp(text, "errpipe: ", 9) == 0, "errpipe says who it is");
	must(end && !end[1], "it says one line");
	must(is_harmless(text, "\n"), "it says nothing to the terminal");
}

/* In this process, because the sanitizers watch it. */
int __wrap_work_apart(int (*work)(void *data), void *data, int milliseconds)
{
	must(milliseconds > 0, "nothing is waited for without an end");
	return work(data);
}

/* The text that it prints is malloc'd. */
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
	static int folder = -1;
	struct bundle bundle;
	int descriptor, ret;
	char *text;

	if (folder < 0)
		folder = make_base();
	if (!put_file(folder, "config.json", bytes, size, 0644))
		give_up("config.json");
	descriptor = lowest_free();
	ret = read_bundle(&bundle, &text);
	must(ret == 0 || ret == -1, "it can be used or not");
	if (ret == 0) {
		must(!*text, "nothing is said of what can be used");
		check_bundle(&bundle);
	} else {
		check_message(text);
	}
	bundle_free(&bundle);
	free(text);
	must(lowest_free() == descriptor, "no descriptor is left");
	return 0;
}
