/* SPDX-License-Identifier: MIT */
/* The list of files that a loader has mapped, and how it grows. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explain/program/walk.h"

enum { LONGEST_SYMBOL = 4096 };

const char *ep_walk_keep(struct ep_walk *w, const char *text)
{
	size_t size = strlen(text) + 1;
	char *to = w->text + w->used;

	if (size > sizeof(w->text) - w->used) {
		w->certain = false;
		return NULL;
	}
	w->used += size;
	return memcpy(to, text, size);
}

bool ep_walk_join(char path[PATH_MAX], const char *directory, const char *name)
{
	size_t length = strlen(directory);
	const char *slash = length && directory[length - 1] == '/' ? "" : "/";

	return (size_t)snprintf(path, PATH_MAX, "%s%s%s", directory, slash, name) < PATH_MAX;
}

static const char *kept_tag(struct ep_walk *w, struct ep_object *object, enum ep_tag tag)
{
	const char *string = ep_object_tag_string(object, tag);

	return string ? ep_walk_keep(w, string) : NULL;
}

/* --- what a file needs and has ------------------------------------------------------------------------------ */

static void note_names(struct ep_walk *w, struct ep_loaded *loaded, struct ep_object *object)
{
	loaded->first_name = w->names;
	for (unsigned i = 0; i < object->needed && w->names < EP_NAMES_MAX; i++) {
		const char *string = ep_object_string(object, object->needs[i].name);
		const char *name = string ? ep_walk_keep(w, string) : NULL;

		if (!name)
			continue;
		w->name[w->names].name = name;
		w->name[w->names++].need = object->needs[i].need;
	}
	loaded->names = w->names - loaded->first_name;
	if (loaded->names != object->needed)
		w->certain = false;
}

static int note_version(struct ep_walk *w, struct ep_walk_version *versions, unsigned *count,
			const struct ep_version *version)
{
	struct ep_walk_version *to = &versions[*count];

	if (*count == EP_VERSIONS_MAX) {
		w->certain = false;
		return 1;
	}
	to->file = version->file ? ep_walk_keep(w, version->file) : NULL;
	to->name = ep_walk_keep(w, version->name);
	to->hash = version->hash;
	to->is_weak = version->is_weak;
	if (!to->name || (version->file && !to->file))
		return 1;
	++*count;
	return 0;
}

/* These libraries get a new version with each release that has new symbols. A file with the version has all of its symbols. */
static bool is_complete(const char *version)
{
	static const char *const begins[] = { "GLIBC_", "GLIBCXX_", "CXXABI_", "GCC_" };

	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++) {
		const char *number = version + strlen(begins[i]);

		if (ep_begins_with(version, begins[i]) && *number >= '0' && *number <= '9')
			return true;
	}
	return false;
}

static int note_need(void *context, const struct ep_version *version)
{
	struct ep_walk *w = context;

	if (version->index < EP_VERSION_LAST && is_complete(version->name))
		w->complete |= UINT64_C(1) << version->index;
	return note_version(w, w->need, &w->needs, version);
}

static int note_definition(void *context, const struct ep_version *version)
{
	struct ep_walk *w = context;

	return note_version(w, w->definition, &w->definitions, version);
}

static void note_versions(struct ep_walk *w, struct ep_loaded *loaded, struct ep_object *object)
{
	w->complete = UINT64_C(1) << EP_VERSION_LAST;
	loaded->first_need = w->needs;
	ep_object_needs(object, note_need, w);
	loaded->needs = w->needs - loaded->first_need;
	loaded->first_definition = w->definitions;
	loaded->has_definitions = ep_object_has(object, EP_VERDEF);
	loaded->has_versions = ep_object_has(object, EP_VERSYM);
	ep_object_defines(object, note_definition, w);
	loaded->definitions = w->definitions - loaded->first_definition;
}

struct noting {
	struct ep_walk *w;
	int owner;
	bool are_copied;
};

static int note_symbol(void *context, uint32_t index, const char *name)
{
	const struct noting *noting = context;
	struct ep_walk *w = noting->w;

	if (w->symbols == EP_SYMBOLS_MAX || strlen(name) > LONGEST_SYMBOL) {
		w->lacks_symbols = true;
		return 1;
	}
	w->symbol[w->symbols++] =
		(struct ep_walk_symbol){ ep_symbol_hash(name), index, noting->owner, noting->are_copied };
	return 0;
}

static void note_symbols(struct ep_walk *w, struct ep_loaded *loaded, struct ep_object *object)
{
	/* musl does not check versions. */
	uint64_t left_out = w->is_musl ? 0 : w->complete;
	struct noting noting = { .w = w, .owner = loaded - w->loaded };

	loaded->first_symbol = w->symbols;
	if (w->lacks_symbols)
		return;
	loaded->binds_now = ep_object_binds_now(object);
	if (!ep_object_symbols(object, &loaded->symbols, &w->room) ||
	    !ep_object_undefined(object, &loaded->symbols, left_out, note_symbol, &noting))
		w->lacks_symbols = true;
	noting.are_copied = true;
	if (loaded == w->loaded)
		ep_object_copied(object, left_out, note_symbol, &noting);
}

static const char *directory_of(struct ep_walk *w, const char *path)
{
	char text[PATH_MAX];
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!slash || *path != '/')
		return NULL;
	snprintf(text, sizeof(text), "%.*s", (int)(slash == path ? 1 : slash - path), path);
	return ep_walk_keep(w, text);
}

/* Everything about a file that was read. RUNPATH makes the loader ignore RPATH. Auditors can change any answer. */
static void note_object(struct ep_walk *w, struct ep_loaded *loaded, struct ep_object *object)
{
	loaded->soname = kept_tag(w, object, EP_SONAME);
	loaded->runpath = kept_tag(w, object, EP_RUNPATH);
	loaded->rpath = loaded->runpath ? NULL : kept_tag(w, object, EP_RPATH);
	loaded->no_default = ep_object_has(object, EP_FLAGS_1) && object->value[EP_FLAGS_1] & DF_1_NODEFLIB;
	loaded->isa = ep_object_isa_needed(object);
	note_names(w, loaded, object);
	note_versions(w, loaded, object);
	note_symbols(w, loaded, object);
	if (object->is_odd || ep_object_has(object, EP_AUDIT) || ep_object_has(object, EP_DEPAUDIT))
		w->certain = false;
}

static struct ep_loaded *add(struct ep_walk *w, const char *name, const char *path)
{
	struct ep_loaded *loaded;

	if (w->count == EP_LOADED_MAX) {
		w->certain = false;
		return NULL;
	}
	loaded = &w->loaded[w->count++];
	*loaded = (struct ep_loaded){ .name = name, .path = path, .needer = -1, .library = -1 };
	return loaded;
}

static void note_file(struct ep_loaded *loaded, int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0) {
		loaded->dev = st.st_dev;
		loaded->ino = st.st_ino;
	}
}

void ep_walk_program(struct ep_walk *w)
{
	const struct ep_running *running = w->running;
	struct ep_loaded *program = add(w, NULL, running->link->path);

	program->origin = directory_of(w, running->link->resolved);
	program->is_queued = true;
	ep_walk_limits(w);
	note_file(program, running->fd);
	note_object(w, program, &w->object);
}

void ep_walk_loader(struct ep_walk *w)
{
	const char *path = w->running->loader->path;
	struct ep_loaded *loader = add(w, path, path);

	note_file(loader, w->running->loader_fd);
	note_object(w, loader, &w->object);
	add(w, "linux-vdso.so.1", NULL)->soname = "linux-gate.so.1";
}

/* --- one library -------------------------------------------------------------------------------------------- */

void ep_walk_want(struct ep_walk *w, const char *name, int needer, bool is_optional)
{
	w->wanted = name;
	w->needer = needer;
	w->is_optional = is_optional;
	w->by = EP_BY_SYSTEM;
	w->passed = (struct ep_passed){ .path = NULL };
	w->shut = NULL;
	*w->searched = '\0';
	w->c->ex->looking_at = name;
}

void ep_walk_searched(struct ep_walk *w, const char *directory)
{
	size_t used = strlen(w->searched);

	if (!w->instead && used + strlen(directory) + 3 < sizeof(w->searched))
		snprintf(w->searched + used, sizeof(w->searched) - used, "%s%s", used ? ", " : "", directory);
}

/* The arena of strings has other users, too. */
const char *ep_walk_tell(struct ep_walk *w, const char *text)
{
	struct errpipe_explanation *ex = w->c->ex;

	return text && ex->strings_used < sizeof(ex->strings) / 4 * 3 ? ep_keep(w->c, "%s", text) : NULL;
}

/* Returns the index in ex->library, or -1 if the array is full. */
static int note_library(struct ep_walk *w, const char *path, enum errpipe_cause fault)
{
	struct errpipe_explanation *ex = w->c->ex;
	struct errpipe_library *library = &ex->library[ex->libraries];

	if (ex->libraries == ERRPIPE_LIBRARIES_MAX) {
		ex->more_libraries = 1;
		return -1;
	}
	library->name = ep_walk_tell(w, w->wanted);
	library->needed_by = w->needer < 0 || w->is_optional ? NULL : ep_walk_tell(w, w->loaded[w->needer].path);
	library->path = ep_walk_tell(w, path);
	library->fault = fault;
	return ex->libraries++;
}

/* Without descriptors, steps or a way to look there, nothing is known of the other libraries either. */
int ep_walk_open(struct ep_walk *w, const char *path, struct ep_readable *file)
{
	int error = -ENOSYS;

	if (!*path)
		return -ENOENT;
	if (w->opens++ < EP_OPENS_MAX)
		error = ep_open_to_read(w->c, path, file);
	if (error == -ENOSYS || (error < 0 && ep_is_own_lack(w->c, -error)))
		w->given_up = true;
	return error;
}

void ep_walk_pass(struct ep_walk *w, const char *path, struct ep_passed passed)
{
	if (w->passed.path)
		return;
	w->passed = passed;
	w->passed.path = ep_walk_keep(w, path);
}

/* If errpipe may search the directory, it knows that the library is not there. */
void ep_walk_refused(struct ep_walk *w, const char *path)
{
	const char *directory = directory_of(w, path), *link;
	char inside[PATH_MAX];

	if (ep_exists(w->c, path))
		ep_walk_pass(w, path, (struct ep_passed){ .cause = ERRPIPE_CAUSE_LIBRARY_UNREADABLE });
	else if (!w->shut && directory && ep_walk_join(inside, directory, ".") && !ep_exists(w->c, inside))
		ep_fails_by(w->c, path, ERRPIPE_CAUSE_UNSEARCHABLE, &w->shut, &link);
}

enum ep_header ep_walk_header(struct ep_walk *w, const char *path, const struct ep_readable *file)
{
	struct ep_object *object = &w->object;
	int header = ep_object_header(object, file->fd, &w->kind);

	if (header < 0) {
		w->certain = false;
		return EP_HEADER_TYPE;
	}
	if (header == EP_HEADER_CLASS || header == EP_HEADER_MACHINE)
		ep_walk_pass(w, path,
			     (struct ep_passed){
				     .cause = ERRPIPE_CAUSE_LIBRARY_OTHER_ARCHITECTURE,
				     .machine = object->machine,
				     .elf_class = object->elf_class,
				     .order = object->order,
			     });
	return header;
}

static bool has_code(const struct ep_object *object)
{
	for (unsigned i = 0; i < object->loads; i++) {
		if (object->load[i].flags & PF_X)
			return true;
	}
	return false;
}

static int find_file(const struct ep_walk *w, const struct stat *st)
{
	for (int i = 0; i < w->count; i++) {
		if (w->loaded[i].ino == st->st_ino && w->loaded[i].dev == st->st_dev && w->loaded[i].ino)
			return i;
	}
	return -1;
}

static enum ep_try on_noexec(struct ep_walk *w, const char *path)
{
	struct ep_finding finding = {
		.cause = ERRPIPE_CAUSE_LIBRARY_NOEXEC_MOUNT,
		.subject = ep_walk_tell(w, path),
	};

	if (!w->is_optional)
		ep_name_mount(w->c, path, &finding);
	return ep_walk_stop(w, path, finding);
}

/* The caller may not read what the process may: it is there, but what it needs is unknown. */
static void add_unread(struct ep_walk *w, const char *path)
{
	struct ep_loaded *loaded = add(w, w->wanted, ep_walk_keep(w, path));

	w->certain = false;
	if (loaded)
		loaded->library = note_library(w, path, ERRPIPE_CAUSE_NONE);
}

/* glibc does not take a program for a library: _dl_map_object_from_fd() in its elf/dl-load.c. musl does. */
static bool is_program(const struct ep_walk *w)
{
	const struct ep_object *object = &w->object;

	if (object->type == ET_EXEC)
		return w->loader.signs & EP_SIGN_GLIBC;
	return w->loader.signs & EP_SIGN_NO_PIE && ep_object_has(object, EP_FLAGS_1) &&
	       object->value[EP_FLAGS_1] & DF_1_PIE;
}

/* Is that byte on a page after the end of the file? The rest of the last page reads as zeros. */
static bool is_cut_off(const struct ep_readable *file, uint64_t at)
{
	uint64_t page = sysconf(_SC_PAGESIZE), size = file->st.st_size;

	return at / page >= (size + page - 1) / page;
}

/* Does the segment end after the end of the file? */
static bool ends_after(const struct ep_readable *file, const struct ep_segment *segment)
{
	return segment->file_size && segment->offset + segment->file_size > segment->offset &&
	       is_cut_off(file, segment->offset + segment->file_size - 1);
}

/* Loaders clear the rest of the last page. */
static bool is_cleared(const struct ep_segment *segment)
{
	uint64_t page = sysconf(_SC_PAGESIZE);

	return segment->flags & PF_W && segment->memory_size > segment->file_size &&
	       (segment->offset + segment->file_size) % page;
}

enum cut { COMPLETE, MAY_MISS, MISSES };

/* The loader maps past the end of the file. The first page there that it touches kills it. */
static enum cut find_cut(const struct ep_walk *w, const struct ep_readable *file)
{
	enum cut cut = is_cut_off(file, w->object.dynamic_at) ? MISSES : COMPLETE;

	for (unsigned i = 0; i < w->object.loads && cut != MISSES; i++) {
		const struct ep_segment *segment = &w->object.load[i];

		if (ends_after(file, segment))
			cut = is_cleared(segment) ? MISSES : MAY_MISS;
	}
	return cut;
}

static enum ep_try cut_off(struct ep_walk *w, const char *path, const struct ep_readable *file, enum cut cut)
{
	w->certain = w->certain && cut == MISSES;
	return ep_walk_stop(w, path,
			    (struct ep_finding){
				    .cause = ERRPIPE_CAUSE_LIBRARY_INVALID,
				    .subject = ep_walk_tell(w, path),
				    .detail = ERRPIPE_DETAIL_LIBRARY_CUT_OFF,
				    .number = file->st.st_size,
			    });
}

static enum ep_try map_new(struct ep_walk *w, const char *path, const struct ep_readable *file)
{
	struct ep_loaded *loaded;
	struct ep_finding finding;
	enum cut cut;

	ep_object_read(&w->object);
	if (!w->object.loads || !w->object.has_dynamic)
		return ep_walk_invalid(w, path, ERRPIPE_DETAIL_LIBRARY_DAMAGED);
	cut = find_cut(w, file);
	if (cut)
		return cut_off(w, path, file, cut);
	if (is_program(w))
		return ep_walk_invalid(w, path, ERRPIPE_DETAIL_LIBRARY_IS_PROGRAM);
	if (file->noexec && has_code(&w->object))
		return on_noexec(w, path);
	if (!ep_walk_fits(w, &finding))
		return ep_walk_stop(w, path, finding);
	loaded = add(w, w->wanted, ep_walk_keep(w, path));
	if (!loaded)
		return EP_TRY_TAKEN;
	loaded->dev = file->st.st_dev;
	loaded->ino = file->st.st_ino;
	loaded->needer = w->needer;
	loaded->by = w->by;
	loaded->origin = directory_of(w, path);
	loaded->is_queued = true;
	loaded->library = note_library(w, path, ERRPIPE_CAUSE_NONE);
	note_object(w, loaded, &w->object);
	return EP_TRY_TAKEN;
}

enum ep_try ep_walk_map(struct ep_walk *w, const char *path, const struct ep_readable *file)
{
	int index = find_file(w, &file->st);
	enum ep_try tried = EP_TRY_TAKEN;

	if (file->fd < 0)
		add_unread(w, path);
	else if (index < 0)
		tried = map_new(w, path, file);
	else if (w->loaded[index].library < 0 && index)
		w->loaded[index].library = note_library(w, path, ERRPIPE_CAUSE_NONE);
	if (file->fd >= 0)
		close(file->fd);
	return tried;
}

/* --- the end ------------------------------------------------------------------------------------------------ */

enum ep_try ep_walk_stop(struct ep_walk *w, const char *path, struct ep_finding finding)
{
	if (w->given_up || w->instead)
		return EP_TRY_STOP;
	note_library(w, path, finding.cause);
	if (w->is_optional)
		return EP_TRY_STOP;
	w->failed = true;
	finding.subject_here = path ? ep_path_here(w->c, path) : NULL;
	finding.needer = w->needer < 0 ? NULL : ep_walk_tell(w, w->loaded[w->needer].path);
	finding.needer_here = w->needer < 0 ? NULL : ep_path_here(w->c, w->loaded[w->needer].path);
	if (!w->certain)
		finding.certainty = ERRPIPE_LIKELY;
	if (finding.detail != ERRPIPE_DETAIL_LIBRARY_CUT_OFF && !finding.status)
		finding.status = EP_STATUS_OF_LOADERS;
	ep_finding_set(w->c, w->running->link, finding);
	return EP_TRY_STOP;
}

enum ep_try ep_walk_invalid(struct ep_walk *w, const char *path, enum errpipe_detail detail)
{
	return ep_walk_stop(w, path,
			    (struct ep_finding){
				    .cause = ERRPIPE_CAUSE_LIBRARY_INVALID,
				    .subject = ep_walk_tell(w, path),
				    .detail = detail,
			    });
}

enum ep_try ep_walk_hidden(struct ep_walk *w, const char *path, const struct errpipe_mount *mount)
{
	struct ep_finding finding = {
		.cause = ERRPIPE_CAUSE_LIBRARY_HIDDEN_BY_MOUNT,
		.available = ep_walk_tell(w, path),
	};

	ep_hidden_by(w->c, mount, &finding);
	return ep_walk_stop(w, NULL, finding);
}

static enum ep_try not_a_file(struct ep_walk *w, const char *path)
{
	const struct errpipe_mount *mount = ep_hiding_mount(w->c, path);

	return mount ? ep_walk_hidden(w, path, mount) : ep_walk_invalid(w, path, ERRPIPE_DETAIL_LIBRARY_NOT_A_FILE);
}

static enum ep_try too_many_open(struct ep_walk *w)
{
	return ep_walk_stop(w, NULL,
			    (struct ep_finding){
				    .cause = ERRPIPE_CAUSE_OPEN_FILES,
				    .subject = ep_walk_tell(w, w->wanted),
				    .limit = ep_asked_limit(w->c->question->limit_files),
			    });
}

enum ep_try ep_walk_try(struct ep_walk *w, const char *path, ep_check_file *check_file, ep_not_opened *not_opened)
{
	struct ep_readable file;
	enum ep_try tried;
	int error;

	if (w->instead)
		return w->instead(w, path);
	if (!ep_walk_may_open(w))
		return too_many_open(w);
	error = ep_walk_open(w, path, &file);
	if (error < 0)
		return not_opened(w, path, -error);
	if (!S_ISREG(file.st.st_mode))
		return not_a_file(w, path);
	tried = file.fd < 0 ? EP_TRY_TAKEN : check_file(w, path, &file);
	if (tried == EP_TRY_TAKEN)
		return ep_walk_map(w, path, &file);
	close(file.fd);
	return tried;
}

void ep_walk_search_again(struct ep_walk *w, enum ep_try (*instead)(struct ep_walk *w, const char *path),
			  struct ep_near *near)
{
	bool given_up = w->given_up;

	w->near = near;
	w->instead = instead;
	w->search(w);
	w->near = NULL;
	w->instead = NULL;
	w->given_up = given_up;
}

enum ep_try ep_walk_parts(struct ep_walk *w, const char *list, const char *separators, ep_each_part *each,
			  void *context)
{
	enum ep_try tried = EP_TRY_NEXT;
	char part[PATH_MAX];

	for (const char *p = list; tried == EP_TRY_NEXT;) {
		size_t length = strcspn(p, separators);

		if (length < sizeof(part)) {
			memcpy(part, p, length);
			part[length] = '\0';
			tried = each(w, part, context);
		}
		if (!p[length])
			break;
		p += length + 1;
	}
	return tried;
}
