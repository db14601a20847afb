/* SPDX-License-Identifier: MIT */
/* The object of a diagnosis. Its keys and their order are stable; errpipe(1) documents them. */
#include <errno.h>

#include "cmd.h"

#ifdef HAVE_JANSSON
#include <stdlib.h>
#include <sys/stat.h>

#include "json.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *const kinds[] = {
#define KIND(id, name) [ERRPIPE_LINK_##id] = (name),
#include "explain/facts.def"
#undef KIND
};

static const char *const formats[] = {
#define FORMAT(id, name, words, object) [ERRPIPE_FORMAT_##id] = (name),
#include "explain/facts.def"
#undef FORMAT
};

static const char *const contents[] = {
#define CONTENT(id, name, words, advice) [ERRPIPE_CONTENT_##id] = (name),
#include "explain/facts.def"
#undef CONTENT
};

static const char *const details[] = {
#define DETAIL(id, name, words) [ERRPIPE_DETAIL_##id] = (name),
#include "explain/facts.def"
#undef DETAIL
};

static const char *const user_classes[] = {
#define CLASS(id, name, words) [ERRPIPE_CLASS_##id] = (name),
#include "explain/facts.def"
#undef CLASS
};

static const char *const binfmts[] = {
#define BINFMT(id, name, words) [ERRPIPE_BINFMT_##id] = (name),
#include "explain/facts.def"
#undef BINFMT
};

/* EI_CLASS and EI_DATA. */
static const int classes[] = { 0, 32, 64 };
static const char *const byte_orders[] = { NULL, "little", "big" };

static const char *name_at(const char *const *names, size_t count, unsigned index)
{
	return index < count ? names[index] : NULL;
}

#define NAME(names, index) string_or_null(name_at(names, COUNT(names), index))

static json_t *boolean_or_null(bool known, int value)
{
	return known ? json_boolean(value) : json_null();
}

/* JSON's integers are signed in jansson. */
static json_int_t integer(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static json_t *mode_or_null(mode_t mode)
{
	return mode ? json_sprintf("%04o", (unsigned)(mode & 07777)) : json_null();
}

static const char *file_type(mode_t mode)
{
	switch (mode & S_IFMT) {
#define FILE_TYPE(type, name, words)                                                                                 \
	case type:                                                                                                   \
		return name;
#include "explain/facts.def"
#undef FILE_TYPE
	default:
		return NULL;
	}
}

static void add_elf(json_t **object, const struct errpipe_link *link)
{
	bool is_elf = link->format == ERRPIPE_FORMAT_ELF;
	int class = link->elf_class < COUNT(classes) ? classes[link->elf_class] : 0;

	json_add(object, "architecture", text_or_null(link->architecture));
	json_add(object, "machine", integer_or_null(is_elf, link->machine));
	json_add(object, "class", integer_or_null(is_elf && class, class));
	json_add(object, "byte_order", NAME(byte_orders, is_elf ? link->elf_data : 0));
	json_add(object, "type", integer_or_null(is_elf, link->type));
	json_add(object, "dynamic", boolean_or_null(is_elf, link->dynamic));
}

static void add_file(json_t **object, const struct errpipe_link *link)
{
	bool known = link->mode;

	json_add(object, "mode", mode_or_null(link->mode));
	json_add(object, "file_type", string_or_null(file_type(link->mode)));
	json_add(object, "uid", integer_or_null(known, link->uid));
	json_add(object, "gid", integer_or_null(known, link->gid));
	json_add(object, "size", integer_or_null(known, integer(link->size)));
	json_add(object, "acl", boolean_or_null(known, link->acl));
	json_add(object, "noexec", boolean_or_null(known, link->noexec));
	json_add(object, "nosuid", boolean_or_null(known, link->nosuid));
	json_add(object, "mount", text_or_null(link->mount));
}

static json_t *json_of_link(const struct errpipe_link *link)
{
	json_t *object = json_object();

	json_add(&object, "kind", NAME(kinds, link->kind));
	json_add(&object, "parent", integer_or_null(link->parent >= 0, link->parent));
	json_add(&object, "path", text_or_null(link->path));
	json_add(&object, "resolved", text_or_null(link->resolved));
	json_add(&object, "here", text_or_null(link->here));
	json_add(&object, "format", NAME(formats, link->format));
	json_add(&object, "content", NAME(contents, link->content));
	add_elf(&object, link);
	add_file(&object, link);
	json_add(&object, "argument", text_or_null(link->argument));
	json_add(&object, "fault", string_or_null(link->fault ? errpipe_cause_name(link->fault) : NULL));
	json_add(&object, "wrong", text_or_null(link->wrong));
	return object;
}

static json_t *json_of_links(const struct errpipe_link *links, int count)
{
	json_t *array = json_array();

	for (int i = 0; i < count && array; i++) {
		if (json_array_append_new(array, json_of_link(&links[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *json_of_libraries(const struct errpipe_explanation *ex)
{
	json_t *array = json_array();

	for (int i = 0; i < ex->libraries && array; i++) {
		const struct errpipe_library *library = &ex->library[i];
		json_t *object = json_object();

		json_add(&object, "name", text_or_null(library->name));
		json_add(&object, "needed_by", text_or_null(library->needed_by));
		json_add(&object, "path", text_or_null(library->path));
		json_add(&object, "fault",
			 string_or_null(library->fault ? errpipe_cause_name(library->fault) : NULL));
		if (json_array_append_new(array, object) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *json_of_writers(const struct errpipe_writers *writers)
{
	json_t *array = json_array();

	for (int i = 0; i < writers->count && array; i++) {
		json_t *object = json_object();

		json_add(&object, "pid", json_integer(writers->writer[i].pid));
		json_add(&object, "name", text_or_null(writers->writer[i].name));
		if (json_array_append_new(array, object) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* Null if the line is empty. */
static void add_line(json_t **object, const char *key, const char *line)
{
	json_add(object, key, !line ? NULL : *line ? json_text(line) : json_null());
}

static void add_cause(json_t **object, const struct diagnosis *diagnosis)
{
	const struct errpipe_explanation *ex = diagnosis->explanation;
	int error = other_errno(diagnosis) ? diagnosis->error : ex->error;

	json_add(object, "works", json_boolean(ex->works));
	json_add(object, "starts", json_boolean(ex->starts));
	json_add(object, "status", integer_or_null(ex->status, ex->status));
	json_add(object, "cause", string_or_null(errpipe_cause_name(ex->cause)));
	json_add(object, "certainty", string_or_null(errpipe_certainty_name(ex->certainty)));
	json_add(object, "errno", string_or_null(error ? errpipe_errname(error) : NULL));
	json_add(object, "broken", integer_or_null(ex->broken >= 0, ex->broken));
}

/* The class of users to which the mode or the access control list denies the x bit. */
static void add_denied(json_t **object, const struct errpipe_denied *denied)
{
	bool is_group = denied->as == ERRPIPE_CLASS_GROUP || denied->as == ERRPIPE_CLASS_NAMED_GROUP;

	json_add(object, "who", NAME(user_classes, denied->as));
	json_add(object, "uid", integer_or_null(denied->as, denied->uid));
	json_add(object, "gid", integer_or_null(is_group, denied->gid));
	json_add(object, "mode", mode_or_null(denied->mode));
	json_add(object, "acl", boolean_or_null(denied->as, denied->acl));
	json_add(object, "acl_mask", boolean_or_null(denied->as, denied->mask));
}

static void add_machines(json_t **object, const struct errpipe_explanation *ex)
{
	json_add(object, "needs_libc", text_or_null(ex->needs_libc));
	json_add(object, "has_libc", text_or_null(ex->has_libc));
	json_add(object, "host", text_or_null(ex->host));
	json_add(object, "host_platform", text_or_null(ex->host_platform));
	json_add(object, "platform", text_or_null(ex->platform));
	json_add(object, "binfmt", NAME(binfmts, ex->binfmt));
	json_add(object, "handler", text_or_null(ex->handler));
	json_add(object, "modules", text_or_null(ex->modules));
}

/* A working directory is not a link of the chain. */
static void add_facts(json_t **object, const struct diagnosis *diagnosis)
{
	const struct errpipe_explanation *ex = diagnosis->explanation;

	json_add(object, "subject", text_or_null(ex->subject));
	json_add(object, "object", text_or_null(ex->object));
	json_add(object, "subject_here", text_or_null(ex->subject_here));
	json_add(object, "object_here", text_or_null(ex->object_here));
	json_add(object, "needer_here", text_or_null(ex->needer_here));
	json_add(object, "root_here", text_or_null(ex->root_here));
	json_add(object, "number", json_integer(integer(ex->number)));
	json_add(object, "limit", json_integer(integer(ex->limit)));
	json_add(object, "arguments", json_integer(integer(ex->arguments.count)));
	json_add(object, "argument_bytes", json_integer(integer(ex->arguments.bytes)));
	json_add(object, "variables", json_integer(integer(ex->variables.count)));
	json_add(object, "variable_bytes", json_integer(integer(ex->variables.bytes)));
	json_add(object, "detail", NAME(details, ex->detail));
	json_add(object, "needer", text_or_null(ex->needer));
	json_add(object, "searched", text_or_null(ex->searched));
	json_add(object, "available", text_or_null(ex->available));
	json_add(object, "shadowing", text_or_null(ex->shadowing));
	json_add(object, "shadowed", text_or_null(ex->shadowed));
	json_add(object, "subject_content", NAME(contents, ex->subject_content));
	add_denied(object, &ex->denied);
	json_add(object, "writers", json_of_writers(&ex->writers));
	json_add(object, "more_writers", json_boolean(ex->writers.more));
	add_machines(object, ex);
	json_add(object, "links", json_of_links(ex->link, diagnosis->is_cwd ? 0 : ex->links));
	json_add(object, "libraries", json_of_libraries(ex));
	json_add(object, "more_libraries", json_boolean(ex->more_libraries));
}

json_t *json_of(const struct diagnosis *diagnosis)
{
	json_t *object = json_object();

	json_add(&object, "path", text_or_null(diagnosis->path));
	add_cause(&object, diagnosis);
	add_line(&object, "finding", diagnosis->finding);
	add_line(&object, "advice", diagnosis->advice);
	add_facts(&object, diagnosis);
	return object;
}

int json_write_diagnosis(FILE *to, const struct diagnosis *diagnosis)
{
	return json_print(to, json_of(diagnosis));
}
#else
int json_write_diagnosis(FILE *to, const struct diagnosis *diagnosis)
{
	(void)to; /* the caller has checked json_is_there() */
	(void)diagnosis;
	return -ENOSYS;
}
#endif
