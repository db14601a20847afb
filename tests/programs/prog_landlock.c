/* SPDX-License-Identifier: MIT */
/*
 * prog_landlock DIR... -- PROGRAM [ARG...]: become PROGRAM under restrictions of landlock(7). It may read and execute files
 * below the directories, write files below /dev, and do nothing else with files. Exit with 77 if landlock cannot be used
 * here.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NO_LANDLOCK = 77, FAILED = 99 };

/* All access rights of the first version. */
static const uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

static const uint64_t to_read =
	LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

static int allow_beneath(int ruleset, const char *directory, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = access,
		.parent_fd = open(directory, O_PATH | O_CLOEXEC),
	};
	int ret;

	if (rule.parent_fd < 0)
		return -1;
	ret = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
	return ret;
}

int main(int argc, char **argv)
{
	const struct landlock_ruleset_attr attr = { .handled_access_fs = all };
	int ruleset = syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int i;

	if (ruleset < 0)
		return NO_LANDLOCK;
	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (allow_beneath(ruleset, argv[i], to_read) < 0) {
			perror(argv[i]);
			return FAILED;
		}
	}
	if (i + 1 >= argc)
		return FAILED;
	if (allow_beneath(ruleset, "/dev", LANDLOCK_ACCESS_FS_WRITE_FILE) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
		perror("landlock");
		return FAILED;
	}
	close(ruleset);
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return FAILED;
}
