/* SPDX-License-Identifier: MIT */
/* The places along PATH, as execvp(3) visits them: glibc's posix/execvpe.c, musl's src/process/execvp.c. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explain/kernel/lookup.h"

/* The C libraries skip a directory that is too long for a path. An empty one is the working directory. */
bool ep_next_place(struct ep_places *places)
{
	size_t name = strlen(places->name);

	while (places->rest) {
		const char *directory = places->rest;
		size_t length = strcspn(directory, ":");

		places->rest = directory[length] ? directory + length + 1 : NULL;
		if (name < sizeof(places->text) && length < sizeof(places->text) - 1 - name) {
			snprintf(places->text, sizeof(places->text), "%.*s%s%s", (int)length, directory,
				 length ? "/" : "", places->name);
			return true;
		}
	}
	return false;
}

enum ep_place ep_look_at(struct ep_check *c, const char *path)
{
	struct ep_lookup w;

	if (ep_lookup(&w, c, path, EP_AS_WHO) == 0) {
		if (w.fd >= 0)
			close(w.fd);
		return EP_PLACE_THERE;
	}
	switch (w.finding.error) {
	case 0:
		return EP_PLACE_UNSEEN;
	case ENOENT:
	case ENOTDIR:
	case ESTALE:
	case ENODEV:
	case ETIMEDOUT:
		return EP_PLACE_EMPTY;
	case EACCES:
		return EP_PLACE_SHUT;
	default:
		return EP_PLACE_THERE;
	}
}

bool ep_is_searched(const char *name, const char *search_path)
{
	return search_path && *name && !strchr(name, '/');
}

static bool is_passed_over(int error)
{
	return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG;
}

enum ep_found ep_found(const struct errpipe_explanation *ex)
{
	bool seen = ex->broken > 0 || ex->links != 1 || ex->link[0].mode;

	/* The search has found the right place, so the mount is the cause and not PATH. */
	if (ex->cause == ERRPIPE_CAUSE_HIDDEN_BY_MOUNT || ex->cause == ERRPIPE_CAUSE_MOUNT_SOURCE_MISSING ||
	    ex->cause == ERRPIPE_CAUSE_MOUNT_MISMATCH)
		return EP_FOUND_REFUSAL;
	if (seen && S_ISDIR(ex->link[0].mode))
		return EP_FOUND_NOTHING;
	if (seen)
		return ex->error == EACCES ? EP_FOUND_REFUSAL : EP_FOUND_FILE;
	return is_passed_over(ex->error) ? EP_FOUND_NOTHING : EP_FOUND_REFUSAL;
}
