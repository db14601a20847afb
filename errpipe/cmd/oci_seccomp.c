/* SPDX-License-Identifier: MIT */
/*
 * An OCI seccomp profile as a filter, by libseccomp (https://github.com/opencontainers/runtime-spec, config-linux.md, "Seccomp").
 * The rules are added as runc and crun do it.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cmd.h"

#ifdef HAVE_JANSSON
#include "json_values.h"

#ifdef HAVE_SECCOMP
#include <linux/seccomp.h>
#include <seccomp.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* libseccomp takes time that grows with the square of the rules. A filter has at most 4096 instructions. */
enum { ARGUMENTS = 6, CONDITIONS_MAX = 32, RULES_MAX = 4096 };

struct profile {
	const struct object *object;
	scmp_filter_ctx context;
	uint32_t default_action;
	struct scmp_arg_cmp conditions[CONDITIONS_MAX]; /* of the rule that is being read */
	unsigned conditions_count, rules_count;
};

/* Returns 1 and the action, or -1 after a message. EPERM is the default errno. */
static int get_action(const struct object *object, const char *key, const char *error_key, uint32_t *action)
{
	static const struct named_number actions[] = {
		{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW },
		{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0) },
		{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS },
		{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD },
		{ "SCMP_ACT_LOG", SCMP_ACT_LOG },
		{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0) },
		{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP },
		{ NULL, 0 },
	};
	int error = EPERM;

	if (required(get_named(object, key, actions, action), object, key) < 0 ||
	    get_integer(object, error_key, 0, 4095, &error) < 0)
		return -1;
	if (*action == SCMP_ACT_ERRNO(0) || *action == SCMP_ACT_TRACE(0))
		*action |= error;
	return 1;
}

static int get_condition(void *data, const struct object *entry)
{
	static const char *const names[] = { "index", "value", "valueTwo", "op", NULL };
	static const struct named_number compares[] = {
		{ "SCMP_CMP_NE", SCMP_CMP_NE },
		{ "SCMP_CMP_LT", SCMP_CMP_LT },
		{ "SCMP_CMP_LE", SCMP_CMP_LE },
		{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
		{ "SCMP_CMP_GE", SCMP_CMP_GE },
		{ "SCMP_CMP_GT", SCMP_CMP_GT },
		{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
		{ NULL, 0 },
	};
	struct profile *profile = data;
	uint64_t value = 0, second = 0;
	uint32_t compare;
	int index = 0;

	if (check_members(entry, names) < 0 ||
	    required(get_integer(entry, "index", 0, ARGUMENTS - 1, &index), entry, "index") < 0 ||
	    required(get_number(entry, "value", &value), entry, "value") < 0 ||
	    get_number(entry, "valueTwo", &second) < 0 ||
	    required(get_named(entry, "op", compares, &compare), entry, "op") < 0)
		return -1;
	profile->conditions[profile->conditions_count++] = (struct scmp_arg_cmp){ index, compare, value, second };
	return 0;
}

/* Several conditions on one argument are alternatives; on different arguments, all must hold. */
static bool has_alternatives(const struct profile *profile)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < profile->conditions_count; i++) {
		unsigned bit = 1u << profile->conditions[i].arg;

		if (seen & bit)
			return true;
		seen |= bit;
	}
	return false;
}

static int add_rule(const struct profile *profile, uint32_t action, int call)
{
	unsigned count = profile->conditions_count;
	int ret = 0;

	if (!has_alternatives(profile))
		return seccomp_rule_add_array(profile->context, action, call, count, profile->conditions);
	for (unsigned i = 0; i < count && ret == 0; i++)
		ret = seccomp_rule_add_array(profile->context, action, call, 1, &profile->conditions[i]);
	return ret;
}

/* A system call that libseccomp does not know is skipped: a profile names those of many kernels. */
static int add_rules(struct profile *profile, const struct object *rule, uint32_t action, char *const *names)
{
	for (; *names; names++) {
		int call = seccomp_syscall_resolve_name(*names), ret = 0;

		if (profile->rules_count++ == RULES_MAX)
			return too_long(profile->object, "syscalls");
		if (call != __NR_SCMP_ERROR)
			ret = add_rule(profile, action, call);
		if (ret < 0) {
			own_failure(-ret, "libseccomp refuses a rule of %.*s", (int)strlen(rule->prefix) - 1,
				    rule->prefix);
			return -1;
		}
	}
	return 0;
}

/* libseccomp takes no rule whose action is the default one. */
static int get_rule(void *data, const struct object *entry)
{
	static const char *const members[] = { "names", "action", "errnoRet", "args", "comment", NULL };
	struct profile *profile = data;
	char **names = NULL;
	uint32_t action;
	int ret;

	profile->conditions_count = 0;
	if (check_members(entry, members) < 0 ||
	    get_objects(entry, "args", CONDITIONS_MAX, get_condition, profile) < 0 ||
	    get_action(entry, "action", "errnoRet", &action) < 0)
		return -1;
	ret = required(get_strings(entry, "names", &names), entry, "names");
	if (ret > 0 && action != profile->default_action)
		ret = add_rules(profile, entry, action, names);
	free(names);
	return ret < 0 ? -1 : 0;
}

static int get_architectures(const struct profile *profile, const struct object *object)
{
	static const char key[] = "architectures", prefix[] = "SCMP_ARCH_";
	char **names = NULL;
	int ret = get_strings(object, key, &names);

	for (char **p = names; ret > 0 && *p; p++) {
		char lower[32] = "";
		uint32_t arch;

		for (size_t i = 0; i + 1 < sizeof(lower) && strlen(*p) > strlen(prefix) + i; i++)
			lower[i] = tolower((*p)[strlen(prefix) + i]);
		arch = seccomp_arch_resolve_name(lower);
		if (strncmp(*p, prefix, strlen(prefix)) != 0 || !is_upper(*p) || !arch)
			ret = unknown(object, key, *p);
		else if (seccomp_arch_exist(profile->context, arch) == -EEXIST)
			ret = seccomp_arch_add(profile->context, arch) < 0 ? unknown(object, key, *p) : 1;
	}
	free(names);
	return ret < 0 ? -1 : 0;
}

/* TSYNC is for other threads; the process has none. */
static int get_flags(struct setup *setup, const struct object *object)
{
	static const struct named_number flags[] = {
		{ "SECCOMP_FILTER_FLAG_TSYNC", 0 },
		{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
		{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ NULL, 0 },
	};
	char **names = NULL;
	int ret = get_strings(object, "flags", &names);

	for (char **p = names; ret > 0 && *p; p++) {
		uint32_t flag = 0;

		ret = named_number(object, "flags", *p, flags, &flag);
		setup->to.seccomp_flags |= flag;
	}
	free(names);
	return ret < 0 ? -1 : 0;
}

/* seccomp_export_bpf(3) of libseccomp 2.5 writes to a descriptor only. memfd_create(2) may be forbidden. */
static FILE *open_memory(void)
{
	int fd = memfd_create("seccomp", MFD_CLOEXEC);

	return fd < 0 ? tmpfile() : fdopen(fd, "w+");
}

static int export(struct setup *setup, scmp_filter_ctx context)
{
	static const char name[] = "the seccomp profile";
	FILE *file = open_memory();
	int ret = file ? seccomp_export_bpf(context, fileno(file)) : -errno;
	size_t size;
	char *text;

	if (ret < 0) {
		own_failure(-ret, "cannot compile %s", name);
		if (file)
			fclose(file);
		return -1;
	}
	rewind(file);
	text = read_file(file, name, &size);
	return text ? setup_filter(setup, name, text, size) : -1;
}

static int get_profile(struct setup *setup, struct profile *profile)
{
	static const char *const members[] = { "defaultAction", "defaultErrnoRet", "architectures",
					       "flags",		"syscalls",	   NULL };
	const struct object *object = profile->object;

	if (check_members(object, members) < 0 ||
	    get_action(object, "defaultAction", "defaultErrnoRet", &profile->default_action) < 0)
		return -1;
	profile->context = seccomp_init(profile->default_action);
	if (!profile->context)
		return no_memory();
	if (get_architectures(profile, object) < 0 || get_flags(setup, object) < 0 ||
	    get_objects(object, "syscalls", SIZE_MAX, get_rule, profile) < 0)
		return -1;
	return export(setup, profile->context);
}

int profile_compile(struct setup *setup, const struct object *object)
{
	struct profile profile = { .object = object };
	int ret = get_profile(setup, &profile);

	seccomp_release(profile.context);
	return ret;
}
#else
int profile_compile(struct setup *setup, const struct object *object)
{
	(void)setup;
	(void)object;
	own_failure(0, "built without seccomp profiles: install libseccomp and build errpipe again");
	return -1;
}
#endif

int profile_read(struct setup *setup, const char *name, char *text, size_t size)
{
	json_t *json = json_parse(name, text, size, JSON_REJECT_DUPLICATES);
	struct object profile = { .json = json, .prefix = "linux.seccomp." };
	int ret = json ? profile_compile(setup, &profile) : -1;

	json_decref(json);
	free(text);
	return ret;
}
#else
int profile_read(struct setup *setup, const char *name, char *text, size_t size)
{
	(void)setup;
	(void)name;
	(void)size;
	free(text);
	json_is_there();
	return -1;
}
#endif
