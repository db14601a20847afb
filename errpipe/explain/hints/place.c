/* SPDX-License-Identifier: MIT */
/* The file is missing where it was looked for. Is PATH wrong, or is it in another directory? */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explain/hints/hints.h"

/* Where distributions put programs (hier(7)). */
static const char *const directories[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					   "/usr/bin",	      "/sbin",		"/bin" };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define DIRECTORIES  COUNT(directories)

/* Where other systems and packages put theirs: NixOS, Homebrew, images of Java and of Go. */
static const char *const other_directories[] = { "/run/current-system/sw/bin", "/opt/homebrew/bin",
						 "/home/linuxbrew/.linuxbrew/bin", "/opt/java/openjdk/bin",
						 "/usr/local/go/bin" };

#define OTHER_DIRECTORIES COUNT(other_directories)

/* All of them, the usual ones first. NULL: no more. */
static const char *directory_at(size_t i)
{
	if (i < DIRECTORIES)
		return directories[i];
	return i - DIRECTORIES < OTHER_DIRECTORIES ? other_directories[i - DIRECTORIES] : NULL;
}

static bool refine(struct ep_check *c, struct ep_finding finding)
{
	ep_finding_refine(c, finding);
	return true;
}

/* Does the text fit, and is it a program? */
static bool is_program(struct ep_check *c, char *path, int length)
{
	return length > 0 && length < PATH_MAX && ep_is_program(c, path);
}

bool ep_next_directory(struct ep_directory *directory)
{
	if (!directory->rest)
		return false;
	directory->name = directory->rest;
	directory->length = strcspn(directory->rest, ":");
	directory->rest = directory->rest[directory->length] ? directory->rest + directory->length + 1 : NULL;
	return true;
}

/* --- PATH --------------------------------------------------------------------------------------------------- */

/* What libc searches without PATH: confstr(3), and musl's src/process/execvp.c. */
static bool is_default(const char *search_path)
{
	return strcmp(search_path, "/bin:/usr/bin") == 0 || strcmp(search_path, "/usr/local/bin:/bin:/usr/bin") == 0;
}

/* "$PATH:/opt/bin" without a shell to expand it, or "PATH:/opt/bin" without its dollar. */
static bool is_path_itself(const char *text)
{
	text += strspn(text, "${%");
	return ep_begins_with(text, "PATH") && strspn(text + 4, "}%") == strlen(text + 4);
}

static bool is_quoted(const char *place)
{
	return *place && (strchr("\"'", *place) || strchr("\"'", place[strlen(place) - 1]));
}

static bool is_searched(enum errpipe_cause cause)
{
	return cause == ERRPIPE_CAUSE_NOT_IN_PATH || cause == ERRPIPE_CAUSE_COMMAND_MISSING;
}

static bool not_in_path(struct ep_check *c, enum errpipe_detail detail, const char *subject, const char *available)
{
	return refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NOT_IN_PATH,
					      .detail = detail,
					      .subject = subject,
					      .object = detail == ERRPIPE_DETAIL_PATH_UNSET ? NULL : c->ex->object,
					      .available = available });
}

/* Start-up files leave "~/bin" in the PATH of healthy systems, so it counts only if the program is there. */
static bool hint_not_expanded(struct ep_check *c, const char *place, const char *name)
{
	char directory[PATH_MAX / 2], path[PATH_MAX];

	if (is_path_itself(place))
		return not_in_path(c, ERRPIPE_DETAIL_PATH_NOT_EXPANDED, ep_keep(c, "%s", place), NULL);
	return strpbrk(place, "$~%") && ep_expand(c, place, directory, sizeof(directory)) &&
	       is_program(c, path, snprintf(path, sizeof(path), "%s/%s", directory, name)) &&
	       not_in_path(c, ERRPIPE_DETAIL_PATH_NOT_EXPANDED, ep_keep(c, "%s", place), ep_keep(c, "%s", directory));
}

static bool hint_for_shell(struct ep_check *c, const char *place, const char *name)
{
	return hint_not_expanded(c, place, name) ||
	       (is_quoted(place) && not_in_path(c, ERRPIPE_DETAIL_PATH_QUOTED, ep_keep(c, "%s", place), NULL));
}

static enum errpipe_detail detail_of_end(char c)
{
	if (c == ' ')
		return ERRPIPE_DETAIL_PATH_BLANK;
	return c == '\r' ? ERRPIPE_DETAIL_PATH_RETURN : ERRPIPE_DETAIL_PATH_NEWLINE;
}

/* "/app ", "/app\r", "PATH=/app": it would be found without these. */
static enum errpipe_detail litter_of(const char *place, char *clean)
{
	enum errpipe_detail detail = ERRPIPE_DETAIL_NONE;
	size_t length;

	if (ep_begins_with(place, "PATH=")) {
		detail = ERRPIPE_DETAIL_PATH_TWICE;
		place += strlen("PATH=");
	}
	if (*place == ' ')
		detail = ERRPIPE_DETAIL_PATH_BLANK;
	strcpy(clean, place + strspn(place, " "));
	for (length = strlen(clean); length && strchr(" \r\n", clean[length - 1]); length--) {
		detail = detail_of_end(clean[length - 1]);
		clean[length - 1] = '\0';
	}
	return detail;
}

static bool hint_litter(struct ep_check *c, const char *place, const char *name)
{
	char clean[PATH_MAX / 2], path[PATH_MAX];
	enum errpipe_detail detail = litter_of(place, clean);

	if (!detail && *place == '/' && strcmp(ep_last_name(place), name) == 0 && ep_is_program(c, place))
		return not_in_path(c, ERRPIPE_DETAIL_PATH_FILE, ep_keep(c, "%s", place), NULL);
	return detail && *clean && is_program(c, path, snprintf(path, sizeof(path), "%s/%s", clean, name)) &&
	       not_in_path(c, detail, ep_keep(c, "%s", place), NULL);
}

static bool hint_directories(struct ep_check *c, const char *name,
			     bool (*hint)(struct ep_check *c, const char *place, const char *name))
{
	struct ep_directory place = { .rest = c->ex->object };
	char text[PATH_MAX / 2];

	while (ep_next_directory(&place)) {
		if (place.length >= sizeof(text))
			continue;
		snprintf(text, sizeof(text), "%.*s", (int)place.length, place.name);
		if (hint(c, text, name))
			return true;
	}
	return false;
}

/* "/bin;/usr/bin", "/bin /usr/bin": would it be found if that separated directories? */
static bool hint_separator(struct ep_check *c, const char *name)
{
	static const char *const separators[] = { ";", " ", "\n", "\t", "," };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(separators) / sizeof(*separators); i++) {
		const char *directory = strpbrk(c->ex->object, separators[i]) ? c->ex->object : "";
		bool is_blank = *separators[i] == ' ';

		while (*(directory += strspn(directory, "; \n\t,:"))) {
			size_t length = strcspn(directory, "; \n\t,:");

			if (*directory == '/' &&
			    is_program(c, path,
				       snprintf(path, sizeof(path), "%.*s/%s", (int)length, directory, name)))
				return not_in_path(
					c, is_blank ? ERRPIPE_DETAIL_PATH_BLANKS : ERRPIPE_DETAIL_PATH_SEPARATOR,
					separators[i], NULL);
			directory += length;
		}
	}
	return false;
}

bool ep_hint_path(struct ep_check *c, const struct errpipe_link *link)
{
	if (!is_searched(c->ex->cause) || !c->ex->object)
		return false;
	if (strstr(c->ex->object, ":\\") && strchr(c->ex->object, ';'))
		return not_in_path(c, ERRPIPE_DETAIL_PATH_OF_WINDOWS, NULL, NULL);
	if (hint_directories(c, link->path, hint_litter) || hint_separator(c, link->path) ||
	    hint_directories(c, link->path, hint_for_shell))
		return true;
	if (!*c->ex->object)
		return not_in_path(c, ERRPIPE_DETAIL_PATH_EMPTY, NULL, NULL);
	return c->question->envp && !ep_variable(c, "PATH") && is_default(c->ex->object) &&
	       not_in_path(c, ERRPIPE_DETAIL_PATH_UNSET, NULL, NULL);
}

/* --- another directory -------------------------------------------------------------------------------------- */

static bool outside_path(struct ep_check *c, enum errpipe_detail detail, const char *path)
{
	return refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_OUTSIDE_PATH,
					      .detail = detail,
					      .subject = ep_keep(c, "%s", path),
					      .object = c->ex->object });
}

/* A search for directory/ENTRY/rest. */
struct below {
	struct ep_check *c;
	const char *directory, *rest;
	unsigned found;
	char path[PATH_MAX]; /* the last that was found */
};

static int look_below(void *context, const char *entry)
{
	struct below *below = context;
	char path[PATH_MAX];

	if (!is_program(below->c, path,
			snprintf(path, sizeof(path), "%s/%s/%s", below->directory, entry, below->rest)))
		return 0;
	below->found++;
	strcpy(below->path, path);
	return 0;
}

/* If two have it, nothing tells which was meant. */
static bool find_below(struct below *below)
{
	enum { ENTRIES = 64 };

	ep_list(below->c, below->directory, ENTRIES, look_below, below);
	return below->found == 1;
}

static bool hint_below(struct ep_check *c, const char *directory, const char *name)
{
	struct below below = { .c = c, .directory = directory, .rest = ep_keep(c, "bin/%s", name) };

	return find_below(&below) && outside_path(c, ERRPIPE_DETAIL_NONE, below.path);
}

static bool hint_outside_path(struct ep_check *c, const char *name)
{
	char path[PATH_MAX];

	if (c->ex->cause == ERRPIPE_CAUSE_NOT_IN_PATH &&
	    is_program(c, path, snprintf(path, sizeof(path), "./%s", name)))
		return outside_path(c, ERRPIPE_DETAIL_IN_CWD, path);
	for (size_t i = 0; directory_at(i); i++) {
		if (is_program(c, path, snprintf(path, sizeof(path), "%s/%s", directory_at(i), name)))
			return outside_path(c, ERRPIPE_DETAIL_NONE, path);
	}
	return hint_below(c, "/opt", name) || hint_below(c, "/usr/lib/jvm", name);
}

static bool elsewhere(struct ep_check *c, enum errpipe_detail detail, const char *subject, const char *path)
{
	return refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NEAR_MISS,
					      .detail = detail,
					      .subject = subject,
					      .object = ep_keep(c, "%s", path) });
}

/* Where systems keep their programs that this root does not have at all. */
static const char *const foreign_prefixes[] = { "/nix/store/", "/gnu/store/", "/data/data/com.termux/files/usr/bin/",
						"/opt/local/bin/", "/usr/pkg/bin/" };

/* "/nix/store/HASH-bash/bin/bash" */
static const char *foreign_directory_of(struct ep_check *c, const char *path)
{
	const char *name = ep_last_name(path);

	if (name - path < 5 || memcmp(name - 5, "/bin/", 5) != 0)
		return NULL;
	for (size_t i = 0; i < COUNT(foreign_prefixes); i++) {
		const char *prefix = foreign_prefixes[i];

		if (ep_begins_with(path, prefix) &&
		    !ep_exists(c, ep_keep(c, "%.*s", (int)strlen(prefix) - 1, prefix)))
			return prefix;
	}
	return NULL;
}

/* The standard directory of an absolute path, or NULL. */
static const char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	for (size_t i = 0; slash && directory_at(i); i++) {
		size_t length = strlen(directory_at(i));

		if (length == (size_t)(slash - path) && memcmp(path, directory_at(i), length) == 0)
			return directory_at(i);
	}
	return NULL;
}

static bool leads_into_usr(struct ep_check *c, const char *path)
{
	char target[sizeof("/usr/")];
	ssize_t n = readlinkat(c->root, path + 1, target, sizeof(target));

	return n == sizeof(target) && (memcmp(target, "usr/", 4) == 0 || memcmp(target, "/usr/", 5) == 0);
}

/*
 * With a merged /usr, /bin, /sbin and /lib are symbolic links into /usr. A layer of an image that has /bin as a directory
 * replaces the link, and hides the directory that it led to. The other links are still there.
 */
static bool is_torn_apart(struct ep_check *c, const char *directory)
{
	static const char *const merged[] = { "/bin", "/sbin", "/lib" };
	bool is_merged = false;

	if (!directory || (strcmp(directory, "/bin") != 0 && strcmp(directory, "/sbin") != 0))
		return false;
	for (size_t i = 0; i < sizeof(merged) / sizeof(*merged); i++)
		is_merged = is_merged || leads_into_usr(c, merged[i]);
	return is_merged && !leads_into_usr(c, directory);
}

/* "/sub/app" for "sub/app", and "/app" for "app" */
static bool hint_relative(struct ep_check *c, const struct errpipe_link *link)
{
	char path[PATH_MAX];

	return link->kind != ERRPIPE_LINK_INTERPRETER && *link->path == '/' &&
	       is_program(c, path, snprintf(path, sizeof(path), ".%s", link->path)) &&
	       elsewhere(c, ERRPIPE_DETAIL_LEADING_SLASH, NULL, path);
}

/* A virtual environment of Python that was moved: the interpreter lies beside its script. */
static bool hint_moved(struct ep_check *c, const struct errpipe_link *link)
{
	const char *script = link->kind == ERRPIPE_LINK_INTERPRETER ? c->ex->link[link->parent].resolved : NULL;
	const char *name = ep_last_name(link->path);
	size_t length = script ? ep_last_name(script) - script : 0;
	char path[PATH_MAX];

	return length > 5 && memcmp(script + length - 5, "/bin/", 5) == 0 && ep_begins_with(name, "python") &&
	       strstr(link->path, "/bin/") &&
	       is_program(c, path, snprintf(path, sizeof(path), "%.*s%s", (int)length, script, name)) &&
	       elsewhere(c, ERRPIPE_DETAIL_OTHER_DIRECTORY, NULL, path);
}

/* With --target, cargo writes target/TRIPLE/release in place of target/release. */
static bool hint_target(struct ep_check *c, const struct errpipe_link *link)
{
	static const char *const profiles[] = { "target/release/", "target/debug/" };

	for (size_t i = 0; i < sizeof(profiles) / sizeof(*profiles); i++) {
		const char *at = strstr(link->path, profiles[i]);
		size_t before = at ? at - link->path + strlen("target") : 0;
		struct below below = { .c = c, .directory = ep_keep(c, "%.*s", (int)before, link->path) };

		if (!at || (at > link->path && at[-1] != '/'))
			continue;
		below.rest = link->path + before + 1;
		return find_below(&below) && elsewhere(c, ERRPIPE_DETAIL_OTHER_DIRECTORY, NULL, below.path);
	}
	return false;
}

bool ep_hint_place(struct ep_check *c, const struct errpipe_link *link)
{
	const char *slash = strrchr(link->path, '/'), *directory = directory_of(link->path);
	char path[PATH_MAX];

	if (!slash)
		return is_searched(c->ex->cause) && hint_outside_path(c, link->path);
	if (!slash[1])
		return false;
	if (!directory)
		directory = foreign_directory_of(c, link->path);
	for (size_t i = 0; directory && directory_at(i); i++) {
		bool torn;

		if (!is_program(c, path, snprintf(path, sizeof(path), "%s%s", directory_at(i), slash)))
			continue;
		torn = is_torn_apart(c, directory) && strncmp(path, "/usr/", 5) == 0;
		return elsewhere(c, torn ? ERRPIPE_DETAIL_TORN_APART : ERRPIPE_DETAIL_OTHER_DIRECTORY,
				 torn ? directory : NULL, path);
	}
	return hint_relative(c, link) || hint_moved(c, link) || hint_target(c, link);
}

/* Docker's official images have it in /usr/local/bin, others in /. */
bool ep_hint_entrypoint(struct ep_check *c, const struct errpipe_link *link)
{
	static const char *const entrypoints[] = { "entrypoint.sh", "docker-entrypoint.sh" };
	const char *name = ep_last_name(link->path);
	char path[PATH_MAX];

	if (strcmp(name, entrypoints[0]) != 0 && strcmp(name, entrypoints[1]) != 0)
		return false;
	for (size_t i = 0; i < 2 * (DIRECTORIES + 1); i++) {
		const char *directory = i / 2 ? directories[i / 2 - 1] : "";
		const char *entrypoint = entrypoints[i % 2];

		if (is_program(c, path, snprintf(path, sizeof(path), "%s/%s", directory, entrypoint)))
			return elsewhere(c,
					 strcmp(name, entrypoint) == 0 ? ERRPIPE_DETAIL_OTHER_DIRECTORY
								       : ERRPIPE_DETAIL_OTHER_NAME,
					 NULL, path);
	}
	return false;
}

/* --- where images keep their programs ----------------------------------------------------------------------- */

/* The working directory and the one above it come first. Both are unknown for a command of env(1), which may change it. */
static const char *const homes[] = { ".",    "..",	 "",	     "/app",  "/app/bin",  "/usr/src/app",
				     "/srv", "/srv/app", "/app/src", "/code", "/workspace" };

enum { RELATIVE_HOMES = 2 };

/* Without a slash at its end. */
static const char *working_directory(const struct ep_check *c, char room[PATH_MAX])
{
	const char *cwd = c->question->cwd;

	if (!cwd)
		cwd = c->question->root == ERRPIPE_OWN_ROOT ? getcwd(room, PATH_MAX) : "/";
	if (!cwd)
		return ".";
	return strcmp(cwd, "/") == 0 ? "" : cwd;
}

/* Returns its path, kept, or NULL. The path is absolute if the one that was wanted is. */
static const char *find_home(struct ep_check *c, const char *wanted)
{
	const char *name = ep_last_name(wanted);
	struct below direct = { .c = c, .directory = "/opt", .rest = name };
	struct below in_bin = { .c = c, .directory = "/opt", .rest = ep_keep(c, "bin/%s", name) };
	bool knows_cwd = c->ex->cause != ERRPIPE_CAUSE_COMMAND_MISSING, absolute = *wanted == '/';
	char path[PATH_MAX], cwd[PATH_MAX];

	if (knows_cwd && absolute &&
	    is_program(c, path, snprintf(path, sizeof(path), "%s/%s", working_directory(c, cwd), name)))
		return ep_keep(c, "%s", path);
	for (size_t i = knows_cwd && !absolute ? 0 : RELATIVE_HOMES; i < COUNT(homes); i++) {
		if (is_program(c, path, snprintf(path, sizeof(path), "%s/%s", homes[i], name)))
			return ep_keep(c, "%s", path);
	}
	for (size_t i = 0; name > wanted && directory_at(i); i++) {
		if (is_program(c, path, snprintf(path, sizeof(path), "%s/%s", directory_at(i), name)))
			return ep_keep(c, "%s", path);
	}
	if (find_below(&direct))
		return ep_keep(c, "%s", direct.path);
	return find_below(&in_bin) ? ep_keep(c, "%s", in_bin.path) : NULL;
}

/* "/app/server" for "/app/bin/server", and the reverse. */
static const char *find_near(struct ep_check *c, const char *wanted)
{
	const char *name = ep_last_name(wanted);
	int directory = name > wanted ? name - wanted - 1 : 0, above = directory;
	char path[PATH_MAX];

	while (above && wanted[above - 1] != '/')
		above--;
	if (above && is_program(c, path, snprintf(path, sizeof(path), "%.*s%s", above, wanted, name)))
		return ep_keep(c, "%s", path);
	return directory && is_program(c, path, snprintf(path, sizeof(path), "%.*s/bin/%s", directory, wanted, name))
		       ? ep_keep(c, "%s", path)
		       : NULL;
}

bool ep_hint_elsewhere(struct ep_check *c, const struct errpipe_link *link)
{
	const char *name = ep_last_name(link->path), *found = NULL;

	if (!*name)
		return false;
	if (name > link->path)
		found = find_near(c, link->path);
	if (!found)
		found = find_home(c, link->path);
	if (!found)
		return false;
	return is_searched(c->ex->cause) ? outside_path(c, ERRPIPE_DETAIL_NONE, found)
					 : elsewhere(c, ERRPIPE_DETAIL_OTHER_DIRECTORY, NULL, found);
}

/* The path leads to a directory. */
void ep_hint_instead(struct ep_check *c, const struct errpipe_link *link)
{
	const char *name = ep_last_name(link->path), *path = ep_keep(c, "%s/%s", link->path, name);

	if (link->kind != ERRPIPE_LINK_PROGRAM || !S_ISDIR(link->mode) || !*name)
		return;
	if (!ep_is_program(c, path))
		path = find_home(c, link->path);
	if (path)
		ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NOT_A_FILE, .object = path });
}

/* --- no shell ----------------------------------------------------------------------------------------------- */

static bool is_shell(const char *name)
{
	static const char *const names[] = { "sh", "bash", "dash", "ash" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* An image without a shell: "distroless", "scratch". A place that cannot be seen may have one. */
bool ep_hint_no_shell(struct ep_check *c, const struct errpipe_link *link)
{
	static const char *const places[] = { "/bin/sh",
					      "/bin/bash",
					      "/bin/dash",
					      "/bin/busybox",
					      "/usr/bin/sh",
					      "/usr/bin/bash",
					      "/usr/bin/dash",
					      "/usr/bin/busybox",
					      "/busybox/sh",
					      "/bin/ash",
					      "/usr/local/bin/bash",
					      "/bin/zsh",
					      "/bin/toybox",
					      "/bin/ksh",
					      "/usr/bin/zsh",
					      "/bin/mksh",
					      "/system/bin/sh",
					      "/usr/local/bin/sh",
					      "/run/current-system/sw/bin/sh" };

	if (!is_shell(ep_last_name(link->path)) || c->ex->cause == ERRPIPE_CAUSE_COMMAND_MISSING)
		return false;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (ep_look_at(c, places[i]) != EP_PLACE_EMPTY)
			return false;
	}
	return refine(c, (struct ep_finding){
				 .cause = c->ex->cause, .detail = ERRPIPE_DETAIL_NO_SHELL, .object = c->ex->object });
}
