/* SPDX-License-Identifier: MIT */
/*
 * The parts of a file that a loader reads, for libFuzzer: the dynamic section, the versions, the symbols, the notes and the constant
 * strings. The input is the file.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "explain/facts/loader_text.h"
#include "explain/facts/symbols.h"
#include "fuzz.h"

static struct ep_object object;
static struct ep_loader_text loader;
static struct input file;
static unsigned versions;

static void check_string(const char *string)
{
	must(strlen(string) < EP_WINDOW, "a string ends in a window");
	must(memmem(file.bytes, file.size, string, strlen(string) + 1) != NULL, "a string is in the file");
}

static int check_version(void *context, const struct ep_version *version)
{
	must(version->name != NULL, "a version has a name");
	check_string(version->name);
	must(!version->file == !context, "a version that is needed is one of a file");
	if (version->file)
		check_string(version->file);
	must(++versions < 1 << 20, "the versions are bounded");
	return versions % 1000 == 999;
}

static void check_loader(void)
{
	must(loader.directories <= EP_DIRECTORIES_MAX, "the directories fit");
	for (unsigned i = 0; i < loader.directories; i++)
		must(*loader.directory[i] == '/' && strlen(loader.directory[i]) < sizeof(loader.directory[i]),
		     "a directory is a path");
	must(!*loader.cache || *loader.cache == '/', "the cache has a path");
	must(!*loader.preload || *loader.preload == '/', "the list of preloaded libraries has a path");
}

static unsigned undefined;

static int check_symbol(void *context, uint32_t index, const char *name)
{
	const struct ep_symbols *symbols = context;

	must(index > 0, "the first symbol has no name");
	check_string(name);
	ep_symbols_have(symbols, ep_symbol_hash(name));
	return ++undefined % 100 == 99;
}

static void read_symbols(void)
{
	static uint32_t words[1 << 16];
	struct ep_symbol_room room = { .words = words, .max = sizeof(words) / sizeof(*words) };
	struct ep_symbols symbols;

	if (!ep_object_symbols(&object, &symbols, &room))
		return;
	must(room.used <= room.max && symbols.buckets + symbols.chains < room.used, "the tables fit");
	undefined = 0;
	ep_object_undefined(&object, &symbols, 0, check_symbol, &symbols);
	ep_object_undefined(&object, &symbols, UINT64_MAX, check_symbol, &symbols);
	ep_object_copied(&object, 0, check_symbol, &symbols);
	for (uint32_t index = 1; index < 4; index++) {
		const char *name = ep_object_symbol_name(&object, index);

		if (name)
			check_string(name);
		ep_object_binds(&object, index, ep_object_binds_now(&object));
	}
}

static void read_all(void)
{
	ep_object_read(&object);
	must(object.loads <= EP_LOADS_MAX && object.needed <= EP_NEEDED_MAX, "the parts fit");
	for (unsigned i = 0; i < object.needed; i++) {
		const char *name = ep_object_string(&object, object.needs[i].name);

		if (name)
			check_string(name);
	}
	for (enum ep_tag tag = EP_SONAME; tag <= EP_RUNPATH; tag++) {
		const char *string = ep_object_tag_string(&object, tag);

		if (string)
			check_string(string);
	}
	versions = 0;
	ep_object_needs(&object, check_version, &object);
	ep_object_defines(&object, check_version, NULL);
	ep_object_isa_needed(&object);
	ep_object_abi_tag(&object);
	read_symbols();
	ep_loader_text(&loader, &object);
	check_loader();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	file = (struct input){ bytes, size };
	if (ftruncate(fd, 0) < 0 || (size && pwrite(fd, bytes, size, 0) != (ssize_t)size))
		give_up("memfd");
	if (ep_object_header(&object, fd, NULL) == EP_HEADER_OK)
		read_all();
	return 0;
}
