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
	[ERRPIPE_LINK_PROGRAM] = "program",
	[ERRPIPE_LINK_INTERPRETER] = "interpreter",
	[ERRPIPE_LINK_HANDLER] = "handler",
	[ERRPIPE_LINK_LOADER] = "loader",
};

static const char *const formats[] = {
	[ERRPIPE_FORMAT_EMPTY] = "empty",
	[ERRPIPE_FORMAT_SCRIPT] = "script",
	[ERRPIPE_FORMAT_ELF] = "elf",
	[ERRPIPE_FORMAT_TEXT] = "text",
	[ERRPIPE_FORMAT_BYTE_ORDER_MARK] = "byte-order-mark",
	[ERRPIPE_FORMAT_UTF_16] = "utf-16",
	[ERRPIPE_FORMAT_PE] = "pe",
	[ERRPIPE_FORMAT_MACH_O] = "mach-o",
	[ERRPIPE_FORMAT_JAVA_CLASS] = "java-class",
	[ERRPIPE_FORMAT_WEBASSEMBLY] = "webassembly",
	[ERRPIPE_FORMAT_GZIP] = "gzip",
	[ERRPIPE_FORMAT_XZ] = "xz",
	[ERRPIPE_FORMAT_ZSTD] = "zstd",
	[ERRPIPE_FORMAT_BZIP2] = "bzip2",
	[ERRPIPE_FORMAT_ZIP] = "zip",
	[ERRPIPE_FORMAT_AR] = "ar",
	[ERRPIPE_FORMAT_TAR] = "tar",
	[ERRPIPE_FORMAT_UNKNOWN] = "unknown",
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
	static const struct {
		mode_t type;
		const char *name;
	} types[] = { { S_IFREG, "file" },    { S_IFDIR, "directory" },	       { S_IFIFO, "fifo" },
		      { S_IFSOCK, "socket" }, { S_IFCHR, "character-device" }, { S_IFBLK, "block-device" } };

	for (size_t i = 0; i < COUNT(types); i++) {
		if ((mode & S_IFMT) == types[i].type)
			return types[i].name;
	}
	return NULL;
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
	json_add(&object, "path", text_or_null(link->path));
	json_add(&object, "resolved", text_or_null(link->resolved));
	json_add(&object, "format", NAME(formats, link->format));
	add_elf(&object, link);
	add_file(&object, link);
	json_add(&object, "argument", text_or_null(link->argument));
	json_add(&object, "wrong", text_or_null(link->wrong));
	return object;
}

/* A working directory is not a link of the chain. */
static json_t *json_of_links(const struct diagnosis *diagnosis)
{
	const struct errpipe_explanation *ex = diagnosis->explanation;
	int links = diagnosis->is_cwd ? 0 : ex->links;
	json_t *array = json_array();

	for (int i = 0; i < links && array; i++) {
		if (json_array_append_new(array, json_of_link(&ex->link[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* A line of ours. An empty one is none. */
static void add_line(json_t **object, const char *key, const char *line)
{
	json_add(object, key, !line ? NULL : *line ? json_text(line) : json_null());
}

static void add_cause(json_t **object, const struct diagnosis *diagnosis)
{
	const struct errpipe_explanation *ex = diagnosis->explanation;
	int error = other_errno(diagnosis) ? diagnosis->error : ex->error;

	json_add(object, "works", json_boolean(ex->works));
	json_add(object, "cause", string_or_null(errpipe_cause_name(ex->cause)));
	json_add(object, "certainty", string_or_null(errpipe_certainty_name(ex->certainty)));
	json_add(object, "errno", string_or_null(error ? errpipe_errname(error) : NULL));
	json_add(object, "broken", integer_or_null(ex->broken >= 0, ex->broken));
}

static void add_facts(json_t **object, const struct diagnosis *diagnosis)
{
	const struct errpipe_explanation *ex = diagnosis->explanation;

	json_add(object, "subject", text_or_null(ex->subject));
	json_add(object, "object", text_or_null(ex->object));
	json_add(object, "number", json_integer(integer(ex->number)));
	json_add(object, "limit", json_integer(integer(ex->limit)));
	json_add(object, "host", text_or_null(ex->host));
	json_add(object, "platform", text_or_null(ex->platform));
	json_add(object, "binfmt", text_or_null(ex->binfmt));
	json_add(object, "modules", text_or_null(ex->modules));
	json_add(object, "links", json_of_links(diagnosis));
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
	(void)to; /* json_is_there() was asked before */
	(void)diagnosis;
	return -ENOSYS;
}
#endif
