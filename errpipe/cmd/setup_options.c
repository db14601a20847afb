/* SPDX-License-Identifier: MIT */
/* The options of run and exec that change the process before PROGRAM starts. Names are looked up here, outside the stub. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* A copy of an option's value, to be taken apart. */
static char *copy_of(const char *value)
{
	return strcpy(grow(NULL, strlen(value) + 1), value);
}

/* --- --user, --groups ---------------------------------------------------------------------------------- */

static bool to_id(const char *text, uint32_t *id)
{
	const char *rest = take_id(text, id);

	return rest && !*rest;
}

static int find_group(const char *name, gid_t *gid)
{
	const struct group *group;

	if (to_id(name, gid))
		return 0;
	group = getgrnam(name);
	if (!group) {
		name_failure(0, "unknown group", name, "");
		return -1;
	}
	*gid = group->gr_gid;
	return 0;
}

static void add_group(struct setup *setup, gid_t gid)
{
	size_t length = setup->to.groups_length;

	setup->groups = grow(setup->groups, (length + 1) * sizeof(*setup->groups));
	setup->groups[length] = gid;
	setup->to.groups = setup->groups;
	setup->to.groups_length = length + 1;
}

/* The groups of a user who is in the user database, as initgroups(3) sets them. */
static void use_groups_of(struct setup *setup, const char *user)
{
	gid_t *groups = grow(NULL, GROUPS_MAX * sizeof(*groups));
	int length = GROUPS_MAX;

	if (getgrouplist(user, setup->to.gid, groups, &length) < 0)
		length = GROUPS_MAX;
	for (int i = 0; i < length; i++)
		add_group(setup, groups[i]);
	free(groups);
}

static int use_user(struct setup *setup, char *name, char *group)
{
	const struct passwd *user;
	bool is_number = to_id(name, &setup->to.uid);

	user = is_number ? getpwuid(setup->to.uid) : getpwnam(name);
	if (!user && !is_number) {
		name_failure(0, "unknown user", name, "");
		return -1;
	}
	if (!user && !group) {
		name_failure(0, "user", name, " is not in /etc/passwd: give a group as well, as in --user 1234:1234");
		return -1;
	}
	if (group && find_group(group, &setup->to.gid) < 0)
		return -1;
	if (user) {
		setup->to.uid = user->pw_uid;
		if (!group)
			setup->to.gid = user->pw_gid;
		if (!setup->has_groups)
			use_groups_of(setup, user->pw_name);
	}
	setup->to.set |= ERRPIPE_SET_USER;
	return 0;
}

static int set_user(struct setup *setup, const char *value)
{
	char *name = copy_of(value), *group;
	int ret;

	group = strchr(name, ':');
	if (group)
		*group++ = '\0';
	setup->to.set &= ~(uint64_t)ERRPIPE_KEEP_GROUPS;
	if (!setup->has_groups)
		setup->to.groups_length = 0;
	ret = use_user(setup, name, group);
	free(name);
	return ret;
}

static int set_groups(struct setup *setup, const char *value)
{
	char *list = copy_of(value), *rest = list, *name;
	int ret = 0;

	setup->to.groups_length = 0;
	setup->to.set &= ~(uint64_t)ERRPIPE_KEEP_GROUPS;
	setup->to.set |= ERRPIPE_SET_GROUPS;
	setup->has_groups = true;
	while (ret == 0 && (name = strsep(&rest, ","))) {
		gid_t gid = 0;

		if (!*name)
			continue;
		ret = find_group(name, &gid);
		if (ret == 0)
			add_group(setup, gid);
	}
	free(list);
	return ret;
}

/* --- --capabilities ------------------------------------------------------------------------------------ */

/* With or without "cap_". */
static int find_capability(const char *name, uint64_t *set)
{
	size_t prefix = strncasecmp(name, "cap_", strlen("cap_")) == 0 ? 0 : strlen("cap_");
	uint64_t bit = 0;

	for (unsigned i = 0; capability_name(i); i++) {
		if (strcasecmp(capability_name(i) + prefix, name) == 0)
			bit = UINT64_C(1) << i;
	}
	*set |= bit;
	if (!bit)
		name_failure(0, "unknown capability", name, "");
	return bit ? 0 : -1;
}

/* "" and "none" keep none of them. */
static int set_capabilities(struct setup *setup, const char *value)
{
	char *list = copy_of(value), *rest = list, *name;
	uint64_t set = 0;
	int ret = 0;

	while (ret == 0 && (name = strsep(&rest, ","))) {
		if (*name && strcasecmp(name, "none") != 0)
			ret = find_capability(name, &set);
	}
	free(list);
	setup->to.set |= ERRPIPE_SET_BOUNDING | ERRPIPE_SET_CAPABILITIES | ERRPIPE_SET_AMBIENT;
	setup->to.bounding = setup->to.permitted = setup->to.effective = set;
	setup->to.inheritable = setup->to.ambient = set;
	return ret;
}

/* --- --limit, --umask, --seccomp ------------------------------------------------------------------------- */

static bool to_limit(const char *text, uint64_t *limit)
{
	unsigned long long number;
	char *end;

	if (strcmp(text, "unlimited") == 0 || strcmp(text, "infinity") == 0) {
		*limit = UINT64_MAX;
		return true;
	}
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	*limit = number;
	return !errno && !*end;
}

/* NAME=SOFT[:HARD] */
static int set_limit(struct setup *setup, const char *value)
{
	size_t name = strcspn(value, "=");
	struct errpipe_limit limit = { .resource = find_resource(value, name) };
	char *text = copy_of(value[name] ? value + name + 1 : ""), *hard;
	bool is_good;

	hard = strchr(text, ':');
	if (hard)
		*hard++ = '\0';
	is_good =
		to_limit(text, &limit.soft) && to_limit(hard ? hard : text, &limit.hard) && limit.soft <= limit.hard;
	free(text);
	if (limit.resource < 0 || !is_good) {
		name_failure(0, "--limit takes NAME=SOFT[:HARD], as in nofile=1024:4096, not", value, "");
		return -1;
	}
	add_limit(setup, &limit);
	return 0;
}

static int set_umask(struct setup *setup, const char *value)
{
	char *end;
	unsigned long mask = strtoul(value, &end, 8);

	if (*value < '0' || *value > '7' || *end || mask > 0777) {
		name_failure(0, "--umask takes an octal number up to 0777, not", value, "");
		return -1;
	}
	setup->to.umask = mask;
	setup->to.set |= ERRPIPE_SET_UMASK;
	return 0;
}

/* A filter begins with a two-byte instruction code below 256. An OCI profile has no zero byte. */
static bool is_filter(const char *text)
{
	return !text[0] || !text[1];
}

static int set_filter(struct setup *setup, const char *name)
{
	char *text;
	size_t size;

	if (setup->has_filter) {
		own_failure(0, "--seccomp can be given only once");
		return -1;
	}
	setup->has_filter = true;
	setup->to.seccomp_flags = 0;
	text = read_file(fopen(name, "re"), name, &size);
	if (!text)
		return -1;
	return is_filter(text) ? setup_filter(setup, name, text, size) : profile_read(setup, name, text, size);
}

/* --- all of them ----------------------------------------------------------------------------------------- */

static int set_process(struct setup *setup, const char *name)
{
	if (!setup->process)
		return process_read(setup, name);
	own_failure(0, "--process can be given only once");
	return -1;
}

int setup_begin(struct setup *setup, int argc, char **argv, const struct option *options)
{
	int option, ret = 0;

	opterr = 0;
	while (ret == 0 && (option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == SETUP_PROCESS)
			ret = set_process(setup, optarg);
	}
	opterr = 1;
	optind = 0;
	return ret;
}

int setup_option(struct setup *setup, int option, const char *value)
{
	setup->is_used = true;
	switch (option) {
	case SETUP_PROCESS:
		return 0;
	case SETUP_USER:
		return set_user(setup, value);
	case SETUP_GROUPS:
		return set_groups(setup, value);
	case SETUP_CHDIR:
		setup->to.directory = value;
		return 0;
	case SETUP_UMASK:
		return set_umask(setup, value);
	case SETUP_LIMIT:
		return set_limit(setup, value);
	case SETUP_NO_NEW_PRIVS:
		setup->to.no_new_privs = 1;
		return 0;
	case SETUP_CAPABILITIES:
		return set_capabilities(setup, value);
	case SETUP_NEW_SESSION:
		setup->to.session = 1;
		return 0;
	case SETUP_CLOSE_FDS:
		setup->to.set |= ERRPIPE_SET_DESCRIPTORS;
		return 0;
	case SETUP_SECCOMP:
		return set_filter(setup, value);
	default:
		return -1;
	}
}

void setup_free(struct setup *setup)
{
	free(setup->groups);
	free(setup->limits);
	free(setup->filter);
	if (setup->outer_env)
		environ = setup->outer_env;
	process_free(setup);
}
