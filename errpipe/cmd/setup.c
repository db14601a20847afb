/* SPDX-License-Identifier: MIT */
/* The setup of run and exec: what its options and an OCI process object have in common. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cmd.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* BPF_MAXINSNS of the kernel; 8 is the size of an instruction. */
enum { INSTRUCTION_SIZE = 8, FILTER_SIZE_MAX = 4096 * INSTRUCTION_SIZE };

void *grow(void *memory, size_t size)
{
	void *larger = realloc(memory, size);

	if (!larger)
		exit(own_failure(ENOMEM, "cannot read the options"));
	return larger;
}

int find_resource(const char *name, size_t length)
{
	static const struct {
		const char *name;
		int resource;
	} resources[] = {
		{ "as", RLIMIT_AS },
		{ "core", RLIMIT_CORE },
		{ "cpu", RLIMIT_CPU },
		{ "data", RLIMIT_DATA },
		{ "fsize", RLIMIT_FSIZE },
		{ "locks", 10 /* RLIMIT_LOCKS in asm-generic/resource.h */ },
		{ "memlock", RLIMIT_MEMLOCK },
		{ "msgqueue", RLIMIT_MSGQUEUE },
		{ "nice", RLIMIT_NICE },
		{ "nofile", RLIMIT_NOFILE },
		{ "nproc", RLIMIT_NPROC },
		{ "rss", RLIMIT_RSS },
		{ "rtprio", RLIMIT_RTPRIO },
		{ "rttime", RLIMIT_RTTIME },
		{ "sigpending", RLIMIT_SIGPENDING },
		{ "stack", RLIMIT_STACK },
	};

	for (size_t i = 0; i < COUNT(resources); i++) {
		if (strlen(resources[i].name) == length && strncasecmp(resources[i].name, name, length) == 0)
			return resources[i].resource;
	}
	return -1;
}

/* To errpipe_explain() a limit of 0 means that the question does not set it. */
uint64_t limit_to_ask(uint64_t limit)
{
	if (limit == ERRPIPE_LIMIT_0)
		return UINT64_MAX;
	return limit ? limit : ERRPIPE_LIMIT_0;
}

int find_rlimit(const char *type)
{
	static const char prefix[] = "RLIMIT_";
	size_t length = strlen(prefix);

	if (strncmp(type, prefix, length) != 0 || !is_upper(type))
		return -1;
	return find_resource(type + length, strlen(type + length));
}

/* A limit replaces an earlier one: lowering the hard limit first could not be undone. */
bool add_limit(struct setup *setup, const struct errpipe_limit *limit)
{
	size_t i = 0, length = setup->to.limits_length;

	while (i < length && setup->limits[i].resource != limit->resource)
		i++;
	if (i == length) {
		setup->limits = grow(setup->limits, (i + 1) * sizeof(*limit));
		setup->to.limits = setup->limits;
		setup->to.limits_length = i + 1;
	}
	setup->limits[i] = *limit;
	return i == length;
}

char *read_file(FILE *file, const char *name, size_t *size)
{
	char *text;
	int error;

	if (!file) {
		name_failure(errno, "cannot open", name, "");
		return NULL;
	}
	text = grow(NULL, FILE_SIZE_MAX + 1);
	*size = fread(text, 1, FILE_SIZE_MAX + 1, file);
	error = ferror(file) ? errno : *size > FILE_SIZE_MAX ? EFBIG : 0;
	fclose(file);
	if (!error) {
		text[*size] = '\0';
		return text;
	}
	name_failure(error, "cannot read", name, "");
	free(text);
	return NULL;
}

int setup_filter(struct setup *setup, const char *name, char *text, size_t size)
{
	free(setup->filter);
	setup->filter = text;
	if (size == 0 || size > FILTER_SIZE_MAX || size % INSTRUCTION_SIZE) {
		name_failure(0, "cannot use", name, ": a seccomp filter has 1 to 4096 instructions of 8 bytes");
		return -1;
	}
	setup->to.seccomp = setup->filter;
	setup->to.seccomp_length = size / INSTRUCTION_SIZE;
	return 0;
}

char **setup_argv(struct setup *setup, char **argv)
{
	if (setup->env) {
		setup->outer_env = environ;
		environ = setup->env;
	}
	return *argv || !setup->args ? argv : setup->args;
}

/* The credentials after the setup, as far as they decide on access to files. */
static void find_who(struct setup *setup)
{
	const struct errpipe_setup *to = &setup->to;
	struct errpipe_identity now;
	struct errpipe_who *who = &setup->who;

	if (!(to->set & (ERRPIPE_SET_USER | ERRPIPE_SET_CAPABILITIES)) || errpipe_identity(&now) < 0)
		return;
	setup->has_who = true;
	who->uid = to->set & ERRPIPE_SET_USER ? to->uid : geteuid();
	who->gid = to->set & ERRPIPE_SET_USER ? to->gid : getegid();
	who->groups = to->groups;
	who->groups_count = to->groups_length;
	who->effective = who->uid == 0 ? now.effective : 0;
	who->inheritable = now.inheritable;
	who->bounding = now.bounding;
	who->no_new_privs = now.no_new_privs || to->no_new_privs;
	if (to->set & ERRPIPE_SET_CAPABILITIES) {
		who->effective = to->effective;
		who->inheritable = to->inheritable;
		who->bounding = to->bounding;
	}
}

/* A filter and a user are the only options that can be refused together. */
int setup_check(struct setup *setup)
{
	struct errpipe_report report = { .verdict = ERRPIPE_SETUP_FAILED, .status = -1 };
	char line[256];
	int ret = errpipe_setup_check(&setup->to, &report.step);

	find_who(setup);
	if (ret == 0)
		return 0;
	if (ret == -EINVAL && report.step == ERRPIPE_STEP_SECCOMP) {
		own_failure(0, "--seccomp with --user needs --no-new-privs or --capabilities");
		return -1;
	}
	report.error = -ret;
	errpipe_message(line, sizeof(line), &report, NULL);
	own_failure(0, "%s", line);
	return -1;
}
