/* SPDX-License-Identifier: MIT */
/*
 * An OCI process object as a setup (https://github.com/opencontainers/runtime-spec, config.md, "Process"). A member that
 * errpipe does not know or cannot set is refused, because a setup is never skipped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

#ifdef HAVE_JANSSON
#include <linux/ioprio.h>

#include "json_values.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Setting the groups that it has tries it without a change. /proc/self/setgroups can deny it even to root. */
static bool may_set_groups(void)
{
	gid_t *groups = grow(NULL, GROUPS_MAX * sizeof(*groups));
	int count = getgroups(GROUPS_MAX, groups);
	bool may = count >= 0 && setgroups(count, groups) == 0;

	free(groups);
	return may;
}

/* Without privileges, and without groups to add, the process keeps its groups, as under rootless runc and crun. */
static int get_user(struct setup *setup, const struct object *process)
{
	static const char *const names[] = { "uid", "gid", "umask", "additionalGids", NULL };
	struct errpipe_setup *to = &setup->to;
	struct object user;
	int mask = 0, ret;

	if (get_object(process, "user", &user) < 0 || check_members(&user, names) < 0 ||
	    get_id(&user, "uid", &to->uid) < 0 || get_id(&user, "gid", &to->gid) < 0 ||
	    get_ids(&user, "additionalGids", &setup->groups, &to->groups_length) < 0)
		return -1;
	to->groups = setup->groups;
	to->set |= ERRPIPE_SET_USER | (to->groups_length || may_set_groups() ? 0 : ERRPIPE_KEEP_GROUPS);
	ret = get_integer(&user, "umask", 0, 0777, &mask);
	to->umask = mask;
	to->set |= ret > 0 ? ERRPIPE_SET_UMASK : 0;
	return ret;
}

static int get_capabilities(struct setup *setup, const struct object *process)
{
	static const char *const names[] = { "bounding", "permitted", "effective", "inheritable", "ambient", NULL };
	struct errpipe_setup *to = &setup->to;
	uint64_t *const sets[] = { &to->bounding, &to->permitted, &to->effective, &to->inheritable, &to->ambient };
	struct object capabilities;

	if (get_object(process, "capabilities", &capabilities) < 0 || check_members(&capabilities, names) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(sets); i++) {
		char **list = NULL;
		int ret = get_strings(&capabilities, names[i], &list);

		for (char **p = list; ret > 0 && *p; p++) {
			uint64_t bit = capability_bit(*p);

			*sets[i] |= bit;
			if (!bit)
				ret = unknown(&capabilities, names[i], *p);
		}
		free(list);
		if (ret < 0)
			return -1;
	}
	/* As runc and crun do: "runc spec" asks for ambient capabilities that are not inheritable. */
	to->ambient &= to->permitted & to->inheritable;
	to->set |= ERRPIPE_SET_BOUNDING | ERRPIPE_SET_CAPABILITIES | ERRPIPE_SET_AMBIENT;
	return 0;
}

static int get_limit(void *data, const struct object *entry)
{
	static const char *const names[] = { "type", "soft", "hard", NULL };
	struct errpipe_limit limit = { .resource = -1 };
	const char *type = "";

	if (check_members(entry, names) < 0 || required(get_string(entry, "type", &type), entry, "type") < 0 ||
	    required(get_number(entry, "soft", &limit.soft), entry, "soft") < 0 ||
	    required(get_number(entry, "hard", &limit.hard), entry, "hard") < 0)
		return -1;
	limit.resource = find_rlimit(type);
	if (limit.resource < 0)
		return unknown(entry, "type", type);
	if (limit.soft > limit.hard)
		return wrong(entry, "soft", "at most the hard limit");
	return add_limit(data, &limit) ? 0 : refused(entry, "type", "occurs twice");
}

static int get_label(struct setup *setup, const struct object *process)
{
	const char *profile = NULL, *label = NULL;

	if (get_string(process, "apparmorProfile", &profile) < 0 || get_string(process, "selinuxLabel", &label) < 0)
		return -1;
	if (profile && *profile && label && *label)
		return refused(process, "selinuxLabel", "cannot be combined with process.apparmorProfile");
	if (profile && *profile) {
		setup->to.label = profile;
		setup->to.label_kind = ERRPIPE_LABEL_APPARMOR;
	} else if (label && *label) {
		setup->to.label = label;
		setup->to.label_kind = ERRPIPE_LABEL_SELINUX;
	}
	return 0;
}

static int get_scheduler(struct setup *setup, const struct object *process)
{
	static const char *const names[] = { "policy", "nice", "priority", NULL };
	static const struct named_number policies[] = {
		{ "SCHED_OTHER", SCHED_OTHER }, { "SCHED_BATCH", SCHED_BATCH }, { "SCHED_IDLE", SCHED_IDLE },
		{ "SCHED_FIFO", SCHED_FIFO },	{ "SCHED_RR", SCHED_RR },	{ NULL, 0 }
	};
	struct errpipe_setup *to = &setup->to;
	struct object scheduler;
	uint32_t policy;
	int ret = get_object(process, "scheduler", &scheduler);

	if (ret <= 0)
		return ret;
	if (check_members(&scheduler, names) < 0 ||
	    required(get_named(&scheduler, "policy", policies, &policy), &scheduler, "policy") < 0 ||
	    get_integer(&scheduler, "priority", 0, 99, &to->priority) < 0)
		return -1;
	to->scheduler = policy;
	ret = get_integer(&scheduler, "nice", -20, 19, &to->nice);
	to->set |= ERRPIPE_SET_SCHEDULER | (ret > 0 ? ERRPIPE_SET_NICE : 0);
	return ret;
}

static int get_io_priority(struct setup *setup, const struct object *process)
{
	static const char *const names[] = { "class", "priority", NULL };
	static const struct named_number classes[] = { { "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
						       { "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
						       { "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
						       { NULL, 0 } };
	uint32_t class = IOPRIO_CLASS_NONE;
	struct object object;
	int priority = 0, ret = get_object(process, "ioPriority", &object);

	if (ret <= 0)
		return ret;
	if (check_members(&object, names) < 0 ||
	    required(get_named(&object, "class", classes, &class), &object, "class") < 0 ||
	    get_integer(&object, "priority", 0, 7, &priority) < 0)
		return -1;
	setup->to.io_priority = IOPRIO_PRIO_VALUE(class, priority);
	setup->to.set |= ERRPIPE_SET_IO_PRIORITY;
	return 0;
}

/* runc refuses every other entry. */
static int get_env(struct setup *setup, const struct object *process)
{
	int ret = get_strings(process, "env", &setup->env);

	for (size_t i = 0; ret > 0 && setup->env[i]; i++) {
		size_t length = strcspn(setup->env[i], "=");
		char key[32];

		snprintf(key, sizeof(key), "env[%zu]", i);
		if (length == 0 || !setup->env[i][length])
			ret = wrong(process, key, "NAME=VALUE");
	}
	return ret;
}

/* The specification asks for an absolute path. */
static int get_cwd(struct setup *setup, const struct object *process)
{
	const char **cwd = &setup->to.directory;

	if (required(get_string(process, "cwd", cwd), process, "cwd") < 0)
		return -1;
	return **cwd == '/' ? 0 : wrong(process, "cwd", "an absolute path");
}

/* The target shares the terminal of errpipe. */
static int check_terminal(const struct object *process)
{
	int terminal = 0;

	if (get_flag(process, "terminal", &terminal) < 0)
		return -1;
	return terminal ? refused(process, "terminal", "is true, but errpipe does not make a terminal") : 0;
}

static int get_process(struct setup *setup, const struct object *process)
{
	static const char *const names[] = { "terminal",
					     "consoleSize",
					     "user",
					     "args",
					     "env",
					     "cwd",
					     "capabilities",
					     "rlimits",
					     "scheduler",
					     "ioPriority",
					     "noNewPrivileges",
					     "apparmorProfile",
					     "selinuxLabel",
					     "oomScoreAdj",
					     NULL };
	struct errpipe_setup *to = &setup->to;
	int ret;

	if (check_members(process, names) < 0 || check_terminal(process) < 0 ||
	    get_strings(process, "args", &setup->args) < 0 || get_env(setup, process) < 0 ||
	    get_cwd(setup, process) < 0 || get_flag(process, "noNewPrivileges", &to->no_new_privs) < 0 ||
	    get_user(setup, process) < 0 || get_capabilities(setup, process) < 0 || get_label(setup, process) < 0 ||
	    get_objects(process, "rlimits", SIZE_MAX, get_limit, setup) < 0 || get_scheduler(setup, process) < 0 ||
	    get_io_priority(setup, process) < 0)
		return -1;
	ret = get_integer(process, "oomScoreAdj", -1000, 1000, &to->oom_score);
	to->set |= ret > 0 ? ERRPIPE_SET_OOM_SCORE : 0;
	return ret < 0 ? -1 : 0;
}

/* The file is a process object, or a config.json, which has one and a filter outside of it. */
static int get_config(struct setup *setup)
{
	struct object file = { .json = setup->process }, process, linux_, profile;
	int ret = get_object(&file, "process", &process);

	if (ret == 0)
		process.json = file.json;
	if (ret < 0 || get_process(setup, &process) < 0 || get_object(&file, "linux", &linux_) < 0)
		return -1;
	ret = get_object(&linux_, "seccomp", &profile);
	return ret > 0 ? profile_compile(setup, &profile) : ret;
}

int process_read(struct setup *setup, const char *name)
{
	size_t size;
	char *text = read_file(fopen(name, "re"), name, &size);

	setup->is_used = true;
	setup->process = text ? json_parse(name, text, size, JSON_REJECT_DUPLICATES) : NULL;
	free(text);
	return setup->process ? get_config(setup) : -1;
}

void process_free(struct setup *setup)
{
	free(setup->args);
	free(setup->env);
	json_decref(setup->process);
}
#else
int process_read(struct setup *setup, const char *name)
{
	(void)setup;
	(void)name;
	json_is_there();
	return -1;
}

void process_free(struct setup *setup)
{
	(void)setup;
}
#endif
