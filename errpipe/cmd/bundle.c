/* SPDX-License-Identifier: MIT */
/*
 * The config.json of a bundle (https://github.com/opencontainers/runtime-spec, config.md and config-linux.md), as far as it
 * affects an exec. It is as hostile as the image, so its text is escaped before it is printed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"

#ifdef HAVE_JANSSON
#include "json_values.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The source of each mount is opened, so descriptors limit their number. */
enum { MOUNTS_MAX = 500, MASKS_MAX = 500 };

/* UID_GID_MAP_MAX_EXTENTS in the kernel's include/linux/user_namespace.h. */
enum { MAPPINGS_MAX = 340 };

/* --- process --- */

/* The names of a set, separated by ", "; malloc'd. */
static char *names_of(uint64_t set)
{
	char *names = NULL;
	size_t size;
	FILE *to = open_memstream(&names, &size);

	if (!to)
		return NULL;
	for (unsigned i = 0; capability_name(i); i++) {
		if (set >> i & 1)
			fprintf(to, "%s%s", ftell(to) ? ", " : "", capability_name(i));
	}
	return fclose(to) == 0 ? names : NULL;
}

static int get_capabilities(const struct object *sets, const char *key, uint64_t *set)
{
	char **names = NULL;
	int ret = get_strings(sets, key, &names);

	*set = 0;
	for (char **p = names; ret > 0 && *p; p++)
		*set |= capability_bit(*p);
	free(names);
	return ret;
}

/*
 * cap_capset() in the kernel's security/commoncap.c, after the bounding set was dropped. runc and crun ask for the sets as
 * they are.
 */
static int check_capabilities(struct bundle *bundle, uint64_t permitted)
{
	uint64_t effective = bundle->who.effective & ~permitted;
	uint64_t inheritable = bundle->who.inheritable & ~bundle->who.bounding;

	if (!effective && !inheritable)
		return 0;
	free(bundle->fault.object);
	bundle->fault = (struct bundle_fault){
		.cause = ERRPIPE_CAUSE_BUNDLE_CAPABILITIES,
		.detail = effective ? ERRPIPE_DETAIL_EFFECTIVE : ERRPIPE_DETAIL_INHERITABLE,
		.error = EPERM,
		.object = names_of(effective ? effective : inheritable),
	};
	return bundle->fault.object ? 0 : no_memory();
}

static int get_all_capabilities(struct bundle *bundle, const struct object *process)
{
	struct object sets;
	uint64_t permitted;

	if (get_object(process, "capabilities", &sets) < 0 ||
	    get_capabilities(&sets, "effective", &bundle->who.effective) < 0 ||
	    get_capabilities(&sets, "permitted", &permitted) < 0 ||
	    get_capabilities(&sets, "inheritable", &bundle->who.inheritable) < 0 ||
	    get_capabilities(&sets, "bounding", &bundle->who.bounding) < 0)
		return -1;
	return check_capabilities(bundle, permitted);
}

static int get_user(struct bundle *bundle, const struct object *process)
{
	struct object user;

	if (get_object(process, "user", &user) < 0 || get_id(&user, "uid", &bundle->who.uid) < 0 ||
	    get_id(&user, "gid", &bundle->who.gid) < 0 ||
	    get_ids(&user, "additionalGids", &bundle->groups, &bundle->who.groups_count) < 0)
		return -1;
	bundle->who.groups = bundle->groups;
	return 0;
}

/* fault.object is a copy of the text. */
static int set_fault(struct bundle *bundle, struct bundle_fault fault, const char *text)
{
	free(bundle->fault.object);
	bundle->fault = fault;
	bundle->fault.object = strdup(text);
	return bundle->fault.object ? 0 : no_memory();
}

/* runc 1.1 does not start a container with fewer open files, and crun 1.8 needs more. */
enum { FILES_MIN = 7 };

static int check_limit(struct bundle *bundle, const char *type, uint64_t soft, uint64_t hard)
{
	struct bundle_fault fault = { .cause = ERRPIPE_CAUSE_BUNDLE_LIMIT };
	int resource = find_rlimit(type);
	char files[24];

	if (resource < 0) {
		fault.detail = ERRPIPE_DETAIL_LIMIT_UNKNOWN;
	} else if (soft > hard) {
		fault.detail = ERRPIPE_DETAIL_SOFT_ABOVE_HARD;
		fault.error = EINVAL;
	} else if (resource == RLIMIT_NOFILE && soft < FILES_MIN) {
		fault.cause = ERRPIPE_CAUSE_BUNDLE_OPEN_FILES;
		fault.error = EMFILE;
		snprintf(files, sizeof(files), "%" PRIu64, soft);
		type = files;
	} else {
		return 0;
	}
	return set_fault(bundle, fault, type);
}

/* The soft limit. */
static int get_limit(void *data, const struct object *entry)
{
	struct bundle *bundle = data;
	const struct {
		const char *type;
		uint64_t *limit;
	} limits[] = { { "RLIMIT_STACK", &bundle->limit_stack },
		       { "RLIMIT_AS", &bundle->limit_address_space },
		       { "RLIMIT_DATA", &bundle->limit_data },
		       { "RLIMIT_NPROC", &bundle->limit_processes } };
	const char *type = "";
	uint64_t soft = 0, hard = 0;
	int ret;

	if (get_string(entry, "type", &type) < 0 || get_number(entry, "hard", &hard) < 0)
		return -1;
	ret = get_number(entry, "soft", &soft);
	/* may_expand_vm() in the kernel's mm/mmap.c */
	if (ret > 0 && !soft && strcmp(type, "RLIMIT_DATA") == 0)
		soft = hard;
	for (size_t i = 0; i < COUNT(limits) && ret > 0; i++) {
		if (strcmp(limits[i].type, type) == 0)
			*limits[i].limit = limit_to_ask(soft);
	}
	if (strcmp(type, "RLIMIT_NOFILE") == 0)
		bundle->limit_files = hard;
	return ret < 0 ? -1 : check_limit(bundle, type, soft, hard);
}

/* The object is a string of the bundle. */
static void check_cwd(struct bundle *bundle)
{
	if (!bundle->cwd || *bundle->cwd != '/')
		bundle->cwd_fault =
			(struct bundle_fault){ .cause = ERRPIPE_CAUSE_BUNDLE_CWD, .object = (char *)bundle->cwd };
}

static int get_process(struct bundle *bundle, const struct object *config)
{
	struct object process;

	if (get_object(config, "process", &process) < 0 || get_strings(&process, "args", &bundle->args) < 0 ||
	    get_strings(&process, "env", &bundle->env) < 0 || get_string(&process, "cwd", &bundle->cwd) < 0 ||
	    get_string(&process, "apparmorProfile", &bundle->profile) < 0 ||
	    get_string(&process, "selinuxLabel", &bundle->label) < 0 ||
	    get_flag(&process, "noNewPrivileges", &bundle->who.no_new_privs) < 0 ||
	    get_objects(&process, "rlimits", SIZE_MAX, get_limit, bundle) < 0 || get_user(bundle, &process) < 0)
		return -1;
	check_cwd(bundle);
	return get_all_capabilities(bundle, &process);
}

/* --- ids: those of a user namespace are not the ids that its files have outside --- */

struct mapping {
	uint32_t inside, outside;
	uint64_t size;
};

/* Neither range goes beyond the ids: map_write() in the kernel's kernel/user_namespace.c. */
static int get_mapping(const struct object *entry, struct mapping *mapping)
{
	static const char *const keys[] = { "containerID", "hostID", "size" };
	uint64_t values[COUNT(keys)] = { 0 };

	for (size_t i = 0; i < COUNT(keys); i++) {
		if (get_number(entry, keys[i], &values[i]) < 0)
			return -1;
		if (values[i] > UINT32_MAX)
			return wrong(entry, keys[i], "an id");
	}
	if (values[0] + values[2] > UINT32_MAX || values[1] + values[2] > UINT32_MAX)
		return wrong(entry, "size", "a range of ids");
	*mapping = (struct mapping){ values[0], values[1], values[2] };
	return 0;
}

/* Is the id mapped? */
static bool map(uint32_t *id, uint32_t inside, const struct mapping *mapping)
{
	if (inside < mapping->inside || inside - mapping->inside >= mapping->size)
		return false;
	*id = mapping->outside + (inside - mapping->inside);
	return true;
}

static int map_uid(void *data, const struct object *entry)
{
	struct bundle *bundle = data;
	struct mapping mapping = { 0 };

	if (get_mapping(entry, &mapping) < 0)
		return -1;
	map(&bundle->mapped.uid, bundle->who.uid, &mapping);
	return 0;
}

static int map_gids(void *data, const struct object *entry)
{
	struct bundle *bundle = data;
	struct mapping mapping = { 0 };

	if (get_mapping(entry, &mapping) < 0)
		return -1;
	map(&bundle->mapped.gid, bundle->who.gid, &mapping);
	for (size_t i = 0; i < bundle->who.groups_count; i++)
		map(&bundle->mapped_groups[i], bundle->who.groups[i], &mapping);
	return 0;
}

static int map_ids(struct bundle *bundle, const struct object *linux_)
{
	size_t size = bundle->who.groups_count * sizeof(*bundle->groups);

	bundle->mapped = bundle->who;
	bundle->mapped_groups = malloc(size + 1);
	if (!bundle->mapped_groups)
		return no_memory();
	if (size)
		memcpy(bundle->mapped_groups, bundle->groups, size);
	if (get_objects(linux_, "uidMappings", MAPPINGS_MAX, map_uid, bundle) < 0 ||
	    get_objects(linux_, "gidMappings", MAPPINGS_MAX, map_gids, bundle) < 0)
		return -1;
	bundle->mapped.mapped = bundle->mapped.uid != bundle->who.uid;
	bundle->who = bundle->mapped;
	bundle->who.groups = bundle->mapped_groups;
	return 0;
}

/* --- seccomp: the filter is loaded before the exec --- */

static int set_action(struct bundle *bundle, const char *action, uint64_t error)
{
	static const char *const kills[] = { "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
					     "SCMP_ACT_TRAP" };
	struct bundle_fault *fault = &bundle->seccomp;
	const char *name = errpipe_errname(error);

	free(fault->object);
	*fault = (struct bundle_fault){ .cause = ERRPIPE_CAUSE_NONE };
	for (size_t i = 0; i < COUNT(kills); i++) {
		if (strcmp(kills[i], action) == 0)
			*fault = (struct bundle_fault){ .cause = ERRPIPE_CAUSE_BUNDLE_SECCOMP,
							.detail = ERRPIPE_DETAIL_SECCOMP_KILLS };
	}
	if (strcmp(action, "SCMP_ACT_ERRNO") != 0)
		return 0;
	*fault = (struct bundle_fault){ .cause = ERRPIPE_CAUSE_BUNDLE_SECCOMP,
					.detail = ERRPIPE_DETAIL_SECCOMP_ERRNO,
					.error = error };
	return asprintf(&fault->object, "%s", name ? name : "errno 0") < 0 ? no_memory() : 0;
}

static bool holds(char *const *names, const char *name)
{
	for (; names && *names; names++) {
		if (strcmp(*names, name) == 0)
			return true;
	}
	return false;
}

/* Does the rule name execve(2)? Returns 1, 0, or, after a message, -1. */
static int is_for_execve(const struct object *rule)
{
	char **names = NULL;
	int ret = get_strings(rule, "names", &names);

	if (ret > 0)
		ret = holds(names, "execve");
	free(names);
	return ret;
}

/* If several rules name one call, their arguments and the version of libseccomp decide which one applies. */
static int get_rule(void *data, const struct object *entry)
{
	struct bundle *bundle = data;
	int ret = is_for_execve(entry);
	const char *action = "";
	uint64_t error = EPERM;
	json_t *args;

	if (ret <= 0)
		return ret;
	if (get_string(entry, "action", &action) < 0 || get_number(entry, "errnoRet", &error) < 0 ||
	    get_array(entry, "args", "an array of objects", &args) < 0)
		return -1;
	bundle->seccomp_is_unclear |= bundle->has_rule || json_array_size(args);
	bundle->has_rule = true;
	return set_action(bundle, action, error);
}

static int get_seccomp(struct bundle *bundle, const struct object *linux_)
{
	const char *action = "";
	uint64_t error = EPERM;
	struct object seccomp;

	if (get_object(linux_, "seccomp", &seccomp) < 0 || get_string(&seccomp, "defaultAction", &action) < 0 ||
	    get_number(&seccomp, "defaultErrnoRet", &error) < 0 || set_action(bundle, action, error) < 0 ||
	    get_objects(&seccomp, "syscalls", SIZE_MAX, get_rule, bundle) < 0)
		return -1;
	if (bundle->seccomp_is_unclear)
		bundle->seccomp.cause = ERRPIPE_CAUSE_NONE;
	return 0;
}

/* --- security modules --- */

enum answer { NO, YES, NOT_KNOWN };

/* Does a line of the file begin with this text? */
static enum answer has_line(const char *path, const char *begin)
{
	FILE *file = fopen(path, "re");
	enum answer found = NO;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return NOT_KNOWN;
	while (found == NO && getline(&line, &size, file) > 0)
		found = strncmp(line, begin, strlen(begin)) == 0 ? YES : NO;
	free(line);
	fclose(file);
	return found;
}

/* The answer needs /sys. */
static enum answer has_apparmor(void)
{
	enum answer on = has_line("/sys/module/apparmor/parameters/enabled", "Y");

	return on == NOT_KNOWN && access("/sys/module/kernel", F_OK) == 0 ? NO : on;
}

/* Only root can read the list. */
static enum answer has_profile(const char *profile)
{
	enum answer found = NOT_KNOWN;
	char *begin;

	if (asprintf(&begin, "%s (", profile) < 0)
		return NOT_KNOWN;
	found = has_line("/sys/kernel/security/apparmor/profiles", begin);
	free(begin);
	return found;
}

static struct bundle_fault label_fault(enum errpipe_detail detail, const char *object)
{
	return (struct bundle_fault){ .cause = ERRPIPE_CAUSE_BUNDLE_LABEL,
				      .detail = detail,
				      .object = (char *)object };
}

/* 0: not known */
static uint64_t nr_open(void)
{
	FILE *file = fopen("/proc/sys/fs/nr_open", "re");
	uint64_t limit = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%" SCNu64, &limit) != 1)
		limit = 0;
	fclose(file);
	return limit;
}

struct bundle_fault bundle_machine_fault(const struct bundle *bundle)
{
	uint64_t files = nr_open();
	const char *profile = bundle->profile && strcmp(bundle->profile, "unconfined") != 0 ? bundle->profile : "";

	if (files && bundle->limit_files > files)
		return (struct bundle_fault){ .cause = ERRPIPE_CAUSE_BUNDLE_LIMIT,
					      .detail = ERRPIPE_DETAIL_FILES_ABOVE_OPEN,
					      .error = EPERM,
					      .number = bundle->limit_files,
					      .limit = files };
	if (*profile && has_apparmor() == NO)
		return label_fault(ERRPIPE_DETAIL_NO_APPARMOR, profile);
	if (*profile && has_apparmor() == YES && has_profile(profile) == NO)
		return label_fault(ERRPIPE_DETAIL_PROFILE_NOT_LOADED, profile);
	if (bundle->label && *bundle->label && has_line("/proc/filesystems", "nodev\tselinuxfs") == NO)
		return label_fault(ERRPIPE_DETAIL_NO_SELINUX, bundle->label);
	return (struct bundle_fault){ .cause = ERRPIPE_CAUSE_NONE };
}

/* --- mounts --- */

/* How the options set one mount flag. */
struct flag {
	bool set, set_recursively, cleared_recursively;
};

struct mount_options {
	struct flag noexec, nosuid;
	bool is_bind, is_copy, is_idmapped;
};

/* If options contradict each other, the last one counts, as for mount(8). */
static void apply_option(struct mount_options *all, const char *option)
{
	const struct {
		const char *name;
		bool *flag, value;
	} options[] = {
		{ "noexec", &all->noexec.set, true },
		{ "exec", &all->noexec.set, false },
		{ "rnoexec", &all->noexec.set_recursively, true },
		{ "rexec", &all->noexec.cleared_recursively, true },
		{ "nosuid", &all->nosuid.set, true },
		{ "suid", &all->nosuid.set, false },
		{ "rnosuid", &all->nosuid.set_recursively, true },
		{ "rsuid", &all->nosuid.cleared_recursively, true },
		{ "bind", &all->is_bind, true },
		{ "rbind", &all->is_bind, true },
		{ "idmap", &all->is_idmapped, true },
		{ "ridmap", &all->is_idmapped, true },
		{ "tmpcopyup", &all->is_copy, true }, /* a tmpfs with the files of the image */
	};

	for (size_t i = 0; i < COUNT(options); i++) {
		if (strcmp(options[i].name, option) == 0)
			*options[i].flag = options[i].value;
	}
}

/*
 * Runtimes apply recursive options after the others (mount_setattr(2)). A flag that is both set and cleared ends up set.
 * runc applies recursive options to bind mounts only. For other mounts the flag counts only if both runc and crun set it.
 */
static bool is_set(const struct flag *flag, bool is_bind)
{
	if (flag->set_recursively)
		return is_bind || flag->set;
	return flag->set && !flag->cleared_recursively;
}

static int get_mount(void *data, const struct object *entry)
{
	struct bundle *bundle = data;
	struct errpipe_mount *mount = &bundle->mounts[bundle->mounts_count];
	const char *type = "", *source = NULL;
	struct mount_options all = { 0 };
	char **options = NULL;
	int ret;

	if (required(get_string(entry, "destination", &mount->at), entry, "destination") < 0 ||
	    get_string(entry, "type", &type) < 0 || get_string(entry, "source", &source) < 0)
		return -1;
	ret = get_strings(entry, "options", &options);
	all.is_bind = strcmp(type, "bind") == 0;
	for (char **p = options; ret > 0 && *p; p++)
		apply_option(&all, *p);
	free(options);
	mount->noexec = is_set(&all.noexec, all.is_bind);
	mount->nosuid = is_set(&all.nosuid, all.is_bind);
	/* A link in /proc can lead to a file of another file system, which is not noexec. */
	if (strcmp(type, "proc") == 0)
		mount->noexec = 0;
	mount->empty = !all.is_bind && !all.is_copy && strcmp(type, "tmpfs") == 0;
	/* The owners of the files on an idmapped mount are unknown here. */
	all.is_idmapped |= json_object_get(entry->json, "uidMappings") || json_object_get(entry->json, "gidMappings");
	bundle->sources[bundle->mounts_count++] = all.is_bind && !all.is_idmapped ? source : NULL;
	return ret;
}

/* Runtimes mask paths after they have made all mounts. */
static int get_masks(struct bundle *bundle, const struct object *linux_)
{
	char **paths = NULL;
	int ret = get_strings(linux_, "maskedPaths", &paths);

	for (size_t i = 0; ret > 0 && paths[i]; i++) {
		if (i == MASKS_MAX)
			ret = too_long(linux_, "maskedPaths");
		else
			bundle->mounts[bundle->mounts_count++] =
				(struct errpipe_mount){ .at = paths[i], .masked = 1 };
	}
	free(paths);
	return ret;
}

static int get_mounts(struct bundle *bundle, const struct object *config)
{
	bundle->mounts = calloc(MOUNTS_MAX + MASKS_MAX, sizeof(*bundle->mounts));
	bundle->sources = calloc(MOUNTS_MAX + MASKS_MAX, sizeof(*bundle->sources));
	if (!bundle->mounts || !bundle->sources)
		return no_memory();
	return get_objects(config, "mounts", MOUNTS_MAX, get_mount, bundle);
}

static int get_root(struct bundle *bundle, const struct object *config)
{
	struct object root;

	return get_object(config, "root", &root) < 0 ? -1 : get_string(&root, "path", &bundle->root);
}

/* --- names: the paths of config.json as they are seen from the working directory --- */

static char *name_in(const char *directory, const char *path)
{
	char *name = NULL;

	if (*path == '/')
		return strdup(path);
	return asprintf(&name, "%s/%s", directory, path) < 0 ? NULL : name;
}

static int add_names(struct bundle *bundle, const char *directory)
{
	char *name;

	bundle->root_name = bundle->root ? name_in(directory, bundle->root) : NULL;
	if (bundle->root && !bundle->root_name)
		return no_memory();
	for (size_t i = 0; i < bundle->mounts_count; i++) {
		if (!bundle->sources[i])
			continue;
		name = name_in(directory, bundle->sources[i]);
		if (!name)
			return no_memory();
		bundle->mounts[i].name = name;
	}
	return 0;
}

/* --- the file --- */

/* text has room for FILE_SIZE_MAX + 1 bytes, to notice a larger file. Returns the size, or a negative errno. */
static ssize_t read_all(int fd, char *text)
{
	size_t size = 0;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	do {
		n = read(fd, text + size, FILE_SIZE_MAX + 1 - size);
		if (n < 0 && errno != EINTR)
			return -errno;
		size += n > 0 ? n : 0;
	} while (n != 0 && size <= FILE_SIZE_MAX);
	return size <= FILE_SIZE_MAX ? (ssize_t)size : -EFBIG;
}

/*
 * Opening a device can have side effects, so check the type first. Then open the same file through /proc, because another
 * one may have its name by now. Without /proc, open it by its name; O_NONBLOCK keeps a FIFO from blocking.
 */
static int open_config(int directory)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int path_fd = openat(directory, "config.json", O_PATH | O_CLOEXEC), fd;
	char name[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	struct stat st;

	if (path_fd < 0)
		return -1;
	if (fstat(path_fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		close(path_fd);
		errno = EINVAL;
		return -1;
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", path_fd);
	fd = open(name, flags);
	if (fd < 0 && errno == ENOENT)
		fd = openat(directory, "config.json", flags);
	close(path_fd);
	return fd;
}

/* Memory shared with the process that reads the file. */
struct config {
	const char *directory;
	enum { NOT_STARTED, STARTED, OPENED } step;
	size_t size;
	char text[FILE_SIZE_MAX + 1];
};

static int read_config(void *data)
{
	struct config *config = data;
	int directory, fd;
	ssize_t size;

	config->step = STARTED;
	directory = open(config->directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return -errno;
	config->step = OPENED;
	fd = open_config(directory);
	size = fd < 0 ? -errno : read_all(fd, config->text);
	if (fd >= 0)
		close(fd);
	close(directory);
	if (size < 0)
		return size;
	config->size = size;
	return 0;
}

static void tell_of(int ret, const struct config *config)
{
	if (ret == NO_ANSWER)
		own_failure(0, "cannot read config.json: its file system does not respond");
	else if (ret == -ENOTRECOVERABLE)
		own_failure(0, "cannot read config.json: the reading process died");
	else if (config->step == STARTED)
		name_failure(-ret, "cannot open the bundle", config->directory, "");
	else
		own_failure(-ret, "%s",
			    config->step == NOT_STARTED ? "cannot start a process" : "cannot read config.json");
}

static int load(struct bundle *bundle, const char *directory, int milliseconds)
{
	struct config *config =
		mmap(NULL, sizeof(*config), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int ret;

	if (config == MAP_FAILED)
		return no_memory();
	config->directory = directory;
	ret = work_apart(read_config, config, milliseconds);
	if (ret == 0)
		bundle->config = json_parse("config.json", config->text, config->size, 0);
	else
		tell_of(ret, config);
	munmap(config, sizeof(*config));
	return bundle->config ? 0 : -1;
}

int bundle_read(struct bundle *bundle, const char *directory, int milliseconds)
{
	struct object config = { .prefix = "" }, linux_;

	*bundle = (struct bundle){ 0 };
	if (load(bundle, directory, milliseconds) < 0)
		return -1;
	config.json = bundle->config;
	if (get_root(bundle, &config) < 0 || get_process(bundle, &config) < 0 ||
	    get_object(&config, "linux", &linux_) < 0 || map_ids(bundle, &linux_) < 0 ||
	    get_mounts(bundle, &config) < 0 || get_masks(bundle, &linux_) < 0 || get_seccomp(bundle, &linux_) < 0)
		return -1;
	return add_names(bundle, directory);
}

void bundle_free(struct bundle *bundle)
{
	for (size_t i = 0; i < bundle->mounts_count; i++)
		free((char *)bundle->mounts[i].name);
	free(bundle->root_name);
	free(bundle->fault.object);
	free(bundle->seccomp.object);
	free(bundle->args);
	free(bundle->env);
	free(bundle->groups);
	free(bundle->mapped_groups);
	free(bundle->mounts);
	free(bundle->sources);
	json_decref(bundle->config);
}
#else
int bundle_read(struct bundle *bundle, const char *directory, int milliseconds)
{
	(void)directory;
	(void)milliseconds;
	*bundle = (struct bundle){ 0 };
	json_is_there();
	return -1;
}

void bundle_free(struct bundle *bundle)
{
	(void)bundle;
}

struct bundle_fault bundle_machine_fault(const struct bundle *bundle)
{
	(void)bundle;
	return (struct bundle_fault){ .cause = ERRPIPE_CAUSE_NONE };
}
#endif
