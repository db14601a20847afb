/* SPDX-License-Identifier: MIT */
/*
 * No process can be started: fork(2) failed with EAGAIN. Which limit was reached? copy_process() in the kernel's
 * kernel/fork.c, kernel/cgroup/pids.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

/* Returns false without a number, such as for "max". */
static bool read_number(const char *directory, const char *name, uint64_t *number)
{
	unsigned long long value;
	char path[PATH_MAX];
	FILE *file = NULL;
	bool has;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path))
		file = fopen(path, "re");
	has = file && fscanf(file, "%llu", &value) == 1;
	if (file)
		fclose(file);
	if (has)
		*number = value;
	return has;
}

/* Walk up from directory to the first full cgroup, and store its path there. */
static bool find_full(char *directory, size_t top, uint64_t *limit)
{
	uint64_t current;

	for (;;) {
		char *slash = strrchr(directory, '/');

		if (read_number(directory, "pids.max", limit) && read_number(directory, "pids.current", &current) &&
		    current >= *limit)
			return true;
		if (!slash || slash < directory + top)
			return false;
		*slash = '\0';
	}
}

/* A line of /proc/self/cgroup: "0::/path" in version 2, "8:pids:/path" in version 1 (cgroups(7)). */
static bool is_full(const char *line, char directory[PATH_MAX], uint64_t *limit)
{
	static const char mount[] = "/sys/fs/cgroup", mount_of_pids[] = "/sys/fs/cgroup/pids";
	const char *controllers = strchr(line, ':'), *path, *top;

	if (!controllers)
		return false;
	path = strchr(controllers + 1, ':');
	if (!path || path[1] != '/')
		return false;
	top = path == controllers + 1 ? mount : mount_of_pids;
	if (top == mount_of_pids && strncmp(controllers, ":pids:", strlen(":pids:")) != 0)
		return false;
	path += path[2] ? 1 : 2;
	return snprintf(directory, PATH_MAX, "%s%s", top, path) < PATH_MAX &&
	       find_full(directory, strlen(top), limit);
}

static char *full_cgroup(uint64_t *limit)
{
	char line[PATH_MAX], directory[PATH_MAX];
	FILE *file = fopen("/proc/self/cgroup", "re");
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		found = is_full(line, directory, limit);
	}
	if (file)
		fclose(file);
	return found ? strdup(directory) : NULL;
}

/* The id outside of this user namespace, or the same if it is not known. */
static unsigned outside_id(unsigned id)
{
	unsigned inside, outside, length;
	FILE *file = fopen("/proc/self/uid_map", "re");
	bool found = false;

	while (file && !found && fscanf(file, "%u %u %u", &inside, &outside, &length) == 3)
		found = id >= inside && id - inside < length;
	if (file)
		fclose(file);
	return found ? outside + (id - inside) : id;
}

/* The kernel never gives the number of the initial user namespace to another one (PROC_USER_INIT_INO). */
static bool is_in_other_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != 0xEFFFFFFD;
}

/* The user 0 of the initial namespace is exempt from its own limit, and so are two capabilities there. */
static bool is_exempt(void)
{
	struct errpipe_identity identity;

	if (is_in_other_namespace())
		return outside_id(getuid()) == 0;
	return getuid() == 0 ||
	       (errpipe_identity(&identity) == 0 &&
		identity.effective & (capability_bit("CAP_SYS_RESOURCE") | capability_bit("CAP_SYS_ADMIN")));
}

static bool has_limit(uint64_t *limit)
{
	struct rlimit own;

	if (is_exempt() || getrlimit(RLIMIT_NPROC, &own) < 0 || own.rlim_cur == RLIM_INFINITY)
		return false;
	*limit = own.rlim_cur;
	return true;
}

void diagnose_no_process(struct diagnosis *diagnosis)
{
	struct errpipe_explanation *ex = new_explanation();
	uint64_t limit = 0;

	diagnosis->explanation = ex;
	if (!ex)
		return;
	diagnosis->owned = full_cgroup(&limit);
	replace_finding(ex, ERRPIPE_CAUSE_NO_PROCESS, diagnosis->owned ? ERRPIPE_CERTAIN : ERRPIPE_LIKELY);
	ex->subject = diagnosis->owned;
	ex->detail = diagnosis->owned	 ? ERRPIPE_DETAIL_CGROUP_FULL
		     : has_limit(&limit) ? ERRPIPE_DETAIL_USER_FULL
					 : ERRPIPE_DETAIL_SYSTEM_FULL;
	ex->limit = ex->detail == ERRPIPE_DETAIL_SYSTEM_FULL ? 0 : limit;
	ex->error = EAGAIN;
}
