/* SPDX-License-Identifier: MIT */
/* A path as another program would take it: systemd, Windows, a browser, a container engine. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "explain/hints/hints.h"

static bool near_miss(struct ep_check *c, enum errpipe_detail detail, const char *path)
{
	if (!ep_is_program(c, path))
		return false;
	ep_finding_refine(c, (struct ep_finding){ .cause = ERRPIPE_CAUSE_NEAR_MISS,
						  .detail = detail,
						  .object = ep_keep(c, "%s", path) });
	return true;
}

static bool foreign(struct ep_check *c, enum errpipe_detail detail)
{
	ep_finding_refine(c, (struct ep_finding){
				     .cause = ERRPIPE_CAUSE_FOREIGN_PATH,
				     .certainty = ERRPIPE_LIKELY,
				     .detail = detail,
			     });
	return true;
}

/* Does the text begin with start, in upper or lower case? start is in lower case. */
static bool begins_with(const char *text, const char *start)
{
	for (; *start; text++, start++) {
		if (*text != *start && (*text < 'A' || *text > 'Z' || *text + ('a' - 'A') != *start))
			return false;
	}
	return true;
}

/* systemd.service(5), "ExecStart=": the characters before the path. */
static bool hint_prefix(struct ep_check *c, const char *text)
{
	size_t length = strspn(text, "-@:+!|");

	return length && text[length] == '/' && near_miss(c, ERRPIPE_DETAIL_SYSTEMD_PREFIX, text + length);
}

/* --- URLs ----------------------------------------------------------------------------------------------------- */

static bool hint_url(struct ep_check *c, const char *text)
{
	static const char *const schemes[] = { "http://", "https://", "ftp://", "git://", "ssh://", "s3://" };

	if (begins_with(text, "file:/"))
		return near_miss(c, ERRPIPE_DETAIL_FILE_URL,
				 text + strlen("file:") + strspn(text + strlen("file:/"), "/"));
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		if (begins_with(text, schemes[i]))
			return foreign(c, ERRPIPE_DETAIL_URL);
	}
	return false;
}

/* --- Windows -------------------------------------------------------------------------------------------------- */

/* "C:/" */
static bool has_drive(const char *path)
{
	char letter = path[0] | 0x20;

	return letter >= 'a' && letter <= 'z' && path[1] == ':' && path[2] == '/';
}

/* Git Bash and other kinds of MSYS put the directory in which they are installed before "/bin/sh". */
static bool hint_converted(struct ep_check *c, const char *path)
{
	static const char *const installed[] = { "/git/",      "/portablegit/", "/msys64/",	"/msys32/",
						 "/cygwin64/", "/cygwin/",	"/git/current/" };

	for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
		for (size_t i = 0; i < sizeof(installed) / sizeof(*installed); i++) {
			if (begins_with(at, installed[i]) &&
			    near_miss(c, ERRPIPE_DETAIL_CONVERTED, at + strlen(installed[i]) - 1))
				return true;
		}
	}
	return false;
}

/* WSL mounts the drives there. */
static bool hint_mounted(struct ep_check *c, const char *path)
{
	char mounted[PATH_MAX];
	int length = snprintf(mounted, sizeof(mounted), "/mnt/%c%s", path[0] | 0x20, path + 2);

	return length < (int)sizeof(mounted) && near_miss(c, ERRPIPE_DETAIL_DRIVE, mounted);
}

/* "/c/Users/me/app", as Git Bash writes it. There is no directory "/c". */
static bool hint_msys(struct ep_check *c, const char *path)
{
	static const char *const directories[] = { "/users/", "/program files", "/programdata/", "/windows/" };
	const char drive[] = { path[1], ':', '/', '\0' }, top[] = { '/', path[1], '\0' };

	if (!has_drive(drive) || ep_exists(c, top))
		return false;
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
		if (begins_with(path + 2, directories[i]))
			return near_miss(c, ERRPIPE_DETAIL_DRIVE,
					 ep_keep(c, "/mnt/%c%s", path[1] | 0x20, path + 2)) ||
			       foreign(c, ERRPIPE_DETAIL_WINDOWS_PATH);
	}
	return false;
}

static bool hint_drive(struct ep_check *c, const char *path)
{
	return hint_converted(c, path) || near_miss(c, ERRPIPE_DETAIL_DRIVE, path + 2) || hint_mounted(c, path) ||
	       foreign(c, ERRPIPE_DETAIL_WINDOWS_PATH);
}

/* ".\\build\\app", "..\\app", "\\\\server\\app", "build\\app.exe" */
static bool is_of_windows(const char *text)
{
	static const char *const begins[] = { ".\\", "..\\", "\\\\" };
	static const char *const ends[] = { ".exe", ".bat", ".cmd", ".com", ".ps1" };

	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++) {
		if (ep_begins_with(text, begins[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t length = strlen(text), end = strlen(ends[i]);

		if (length > end && begins_with(text + length - end, ends[i]))
			return true;
	}
	return false;
}

/* path has room for the text. */
static void with_slashes(char *path, const char *text)
{
	strcpy(path, text);
	for (char *at = path; (at = strchr(at, '\\'));)
		*at = '/';
}

/* A file may have a backslash in its name, so more than one sign is needed. */
static bool hint_windows(struct ep_check *c, const char *text)
{
	char path[PATH_MAX];

	if (strlen(text) >= sizeof(path))
		return false;
	with_slashes(path, text);
	if (has_drive(path))
		return hint_drive(c, path);
	if (text[0] == '/' && text[1] && text[2] == '/')
		return hint_converted(c, path) || hint_msys(c, path);
	if (!strchr(text, '\\'))
		return false;
	return near_miss(c, ERRPIPE_DETAIL_BACKSLASHES, path) ||
	       (is_of_windows(text) && foreign(c, ERRPIPE_DETAIL_WINDOWS_PATH));
}

/* --- container images ----------------------------------------------------------------------------------------- */

static bool is_among(const char *const *names, size_t count, const char *text, size_t length)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0)
			return true;
	}
	return false;
}

#define IS_AMONG(names, text, length) is_among(names, sizeof(names) / sizeof(*(names)), text, length)

/* "docker.io/library/alpine". There is no such directory. */
static bool has_registry(struct ep_check *c, const char *text)
{
	static const char *const registries[] = { "docker.io",
						  "index.docker.io",
						  "ghcr.io",
						  "quay.io",
						  "gcr.io",
						  "registry.k8s.io",
						  "k8s.gcr.io",
						  "public.ecr.aws",
						  "mcr.microsoft.com",
						  "lscr.io",
						  "registry.gitlab.com",
						  "registry.access.redhat.com" };
	size_t length = strcspn(text, "/");

	return text[length] && text[length + 1] && IS_AMONG(registries, text, length) &&
	       !ep_exists(c, ep_keep(c, "%.*s", (int)length, text));
}

/* "alpine:3.19". The form alone is not enough of a sign: "localhost:8080" has it. */
static bool has_known_name(const char *text, size_t length)
{
	static const char *const images[] = {
		"alpine", "almalinux", "amazonlinux", "busybox",   "centos",	"debian",	  "fedora",
		"golang", "httpd",     "mariadb",     "memcached", "mongo",	"mysql",	  "nginx",
		"node",	  "openjdk",   "php",	      "postgres",  "python",	"redis",	  "rockylinux",
		"ruby",	  "rust",      "traefik",     "ubuntu",	   "wordpress", "eclipse-temurin"
	};

	return IS_AMONG(images, text, length);
}

/* The part of an image's name before its tag: of lower-case letters, digits and separators. */
static size_t repository_length(const char *text)
{
	return text[0] >= 'a' && text[0] <= 'z' ? strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-/") : 0;
}

/* A long number is a port: "redis:6379". */
static bool is_tag(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return length && !text[length] && (length < 3 || strspn(text, "0123456789") < length);
}

static bool hint_image(struct ep_check *c, const char *text)
{
	size_t length = repository_length(text);
	const char *tag = text + length + 1;
	bool is_image = has_registry(c, text);

	if (length && text[length] == ':' && is_tag(tag))
		is_image |= strcmp(tag, "latest") == 0 || has_known_name(text, length);
	if (length && text[length] == '@')
		is_image |= ep_begins_with(tag, "sha256:");
	return is_image && foreign(c, ERRPIPE_DETAIL_IMAGE);
}

/* "#!\\bin\\sh" */
static bool hint_backslashes(struct ep_check *c, const char *text)
{
	char path[PATH_MAX];

	if (*text != '\\' || strlen(text) >= sizeof(path))
		return false;
	with_slashes(path, text);
	return near_miss(c, ERRPIPE_DETAIL_BACKSLASHES, path);
}

bool ep_hint_notation(struct ep_check *c, const struct errpipe_link *link)
{
	return hint_prefix(c, link->path) || hint_url(c, link->path) || hint_windows(c, link->path) ||
	       hint_image(c, link->path);
}

/* "#!C:/Python39/python.exe", "#!/c/Python39/python.exe": an interpreter of the machine on which the script was written. */
bool ep_hint_windows_line(struct ep_check *c, const struct errpipe_link *link)
{
	const char *path = link->path + (*link->path == '"');
	size_t length = strlen(path);
	bool is_msys =
		path[0] == '/' && path[1] && path[2] == '/' && length > 4 && strcmp(path + length - 4, ".exe") == 0;
	bool is_drive = ((path[0] >= 'A' && path[0] <= 'Z') || (path[0] >= 'a' && path[0] <= 'z')) &&
			path[1] == ':' && (path[2] == '/' || path[2] == '\\');

	if (link->kind != ERRPIPE_LINK_INTERPRETER)
		return false;
	return is_msys || is_drive ? foreign(c, ERRPIPE_DETAIL_WINDOWS_INTERPRETER) : hint_backslashes(c, path);
}
