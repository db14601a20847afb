/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "fixture.h"
#include "state.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static char *fixture;
static pid_t maker;

__attribute__((noreturn)) static void die(const char *what, const char *path)
{
	fprintf(stderr, "tests/support/fixture.c: %s %s: %s\n", what, path, strerror(errno));
	exit(EXIT_FAILURE);
}

void *keep(void *memory)
{
	static void **kept;
	static size_t count;

	if (count % 64 == 0)
		kept = realloc(kept, (count + 64) * sizeof(*kept));
	if (!kept || !memory)
		abort();
	kept[count++] = memory;
	return memory;
}

/* --- paths ------------------------------------------------------------------------------------ */

static char *joined(const char *directory, const char *name)
{
	char *path;

	return keep(asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path);
}

static char *repeated(const char *start, const char *part, size_t times)
{
	char *path = keep(malloc(strlen(start) + times * strlen(part) + 1));

	strcpy(path, start);
	for (size_t i = 0, length = strlen(start); i < times; i++, length += strlen(part))
		strcpy(path + length, part);
	return path;
}

char *fixture_path(const char *path)
{
	if (strncmp(path, "@/", 2) == 0)
		return joined(fixture, path + 2);
	if (*path != '@')
		return keep(strdup(path));
	if (strcmp(path, "@empty") == 0)
		return keep(strdup(""));
	if (strcmp(path, "@long-path") == 0)
		return repeated("", "/x", PATH_MAX / 2);
	if (strcmp(path, "@long-name") != 0) {
		errno = EINVAL;
		die("no meaning for", path);
	}
	return repeated(joined(fixture, ""), "x", NAME_MAX + 1);
}

char *built_path(const char *name)
{
	const char *build = getenv("ERRPIPE_BUILD");

	if (!build) {
		errno = EINVAL;
		die("set the variable", "ERRPIPE_BUILD");
	}
	return joined(build, name);
}

void path_behind(int fd, char *path)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, PATH_MAX - 1);
	if (n < 0)
		die("cannot read", link);
	path[n] = '\0';
}

/* --- plain files ------------------------------------------------------------------------------ */

static void make_file(const char *name, const void *bytes, size_t size, mode_t mode)
{
	char *path = joined(fixture, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size || fchmod(fd, mode) < 0 || close(fd) < 0)
		die("cannot write", path);
}

static void make_directory(const char *name, mode_t mode)
{
	char *path = joined(fixture, name);

	if (mkdir(path, 0700) < 0 || chmod(path, mode) < 0)
		die("cannot make", path);
}

static void lock(const char *directory)
{
	char *path = joined(fixture, directory);

	if (chmod(path, 0) < 0)
		die("cannot lock", path);
}

static void make_link(const char *name, const char *target)
{
	char *path = joined(fixture, name);

	if (symlink(target, path) < 0)
		die("cannot make", path);
}

static void make_node(const char *name, mode_t mode)
{
	char *path = joined(fixture, name);

	if (mknod(path, mode, 0) < 0 || chmod(path, 0777) < 0)
		die("cannot make", path);
}

static void copy_built(const char *built, const char *name)
{
	char *from = built_path(built), *bytes;
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		die("cannot open", from);
	bytes = keep(malloc(st.st_size));
	if (read(fd, bytes, st.st_size) != st.st_size)
		die("cannot read", from);
	make_file(name, bytes, st.st_size, 0755);
	close(fd);
}

/* Files that no kernel accepts as programs. */
static void make_non_programs(void)
{
#define BYTES(literal) literal, sizeof(literal) - 1
	static const struct {
		const char *name, *bytes;
		size_t size;
	} files[] = {
		{ "empty", "", 0 },
		{ "text", BYTES("echo this is not a program\n") },
		{ "busy-text", BYTES("echo neither is this\n") },
		{ "one-byte", BYTES("#") },
		{ "zeros", BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") },
		{ "bom", BYTES("\xef\xbb\xbf#!/bin/sh\n") },
		{ "utf-16", BYTES("\xff\xfe#\0!\0/\0b\0i\0n\0/\0s\0h\0\n\0") },
		{ "space-before", BYTES(" #!/bin/sh\n") },
		{ "html", BYTES("<!DOCTYPE html>\n<title>404</title>\n") },
		{ "gzip", BYTES("\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0") },
		{ "pe", BYTES("MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8\0\0\0\0\0\0\0@\0\0\0") },
		{ "mach-o", BYTES("\xcf\xfa\xed\xfe\x0c\0\0\x01\0\0\0\0\x02\0\0\0\x10\0\0\0") },
		{ "archive", BYTES("!<arch>\nx/              0           0     0     644     0         `\n") },
		{ "xz", BYTES("\xfd"
			      "7zXZ\0\0\x04\xe6\xd6\xb4\x46\0\0\0\0") },
		{ "zstd", BYTES("\x28\xb5\x2f\xfd\x24\0\x01\0\0\x99\xe9\xd8\x51") },
		{ "bzip2", BYTES("BZh9\x17rE8P\x90\0\0\0\0") },
		{ "zip", BYTES("PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0x") },
		{ "java-class", BYTES("\xca\xfe\xba\xbe\0\0\0\x34\0\x0d\x0a\0\x03\0\x0a") },
		{ "webassembly", BYTES("\0asm\x01\0\0\0") },
		{ "script-bare", BYTES("#!\n") },
		{ "script-bare-no-newline", BYTES("#!") },
		{ "script-blanks", BYTES("#! \t \n") },
		{ "script-relative", BYTES("#!not/here\n") },
		{ "elf-magic-only", BYTES(ELFMAG) },
		{ "loader-short", BYTES(ELFMAG "shorter than a header") },
		{ "loader-script", BYTES("#!/bin/sh\n# Longer than an ELF header, which is all "
					 "that the kernel looks for.\n") },
		{ "loader-garbage", BYTES("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n") },
	};

	for (size_t i = 0; i < COUNT(files); i++)
		make_file(files[i].name, files[i].bytes, files[i].size, 0755);
	make_file("no-x", BYTES("#!/bin/sh\n"), 0644);
	make_file("no-bits", BYTES("#!/bin/sh\n"), 0);
	make_file("unreadable", BYTES("echo nobody reads this\n"), 0111);
#undef BYTES
}

/* The magic string of tar follows the name and the numbers of the first member. */
static void make_tar(void)
{
	static const struct {
		size_t offset;
		const char *text;
	} fields[] = {
		{ 0, "x" },		/* name */
		{ 100, "0000644" },	/* mode */
		{ 108, "0000000" },	/* user */
		{ 116, "0000000" },	/* group */
		{ 124, "00000000000" }, /* size */
		{ 136, "00000000000" }, /* time */
		{ 148, "006125" },	/* sum of all bytes, with this field as blanks */
		{ 156, "0" },		/* a regular file */
		{ 257, "ustar" },
		{ 263, "00" },
	};
	char block[3 * 512] = "";

	for (size_t i = 0; i < COUNT(fields); i++)
		memcpy(block + fields[i].offset, fields[i].text, strlen(fields[i].text));
	block[155] = ' ';
	make_file("tar", block, sizeof(block), 0755);
}

static void make_links(void)
{
	static const struct {
		const char *name, *target;
	} links[] = {
		{ "link-dangling", "missing" },
		{ "link-loop", "link-loop" },
		{ "link-no-x", "no-x" },
		{ "link-below-file", "good/x" },
	};
	char name[32], target[32], *long_name = repeated("", "x", NAME_MAX + 1);

	for (size_t i = 0; i < COUNT(links); i++)
		make_link(links[i].name, links[i].target);
	make_link("link-long-name", long_name);

	/* links/n0 leads through 41 links and links/n1 through 40, which is the most that Linux follows. */
	make_directory("links", 0755);
	for (int i = 0; i <= 40; i++) {
		snprintf(name, sizeof(name), "links/n%d", i);
		snprintf(target, sizeof(target), i < 40 ? "n%d" : "../good", i + 1);
		make_link(name, target);
	}
}

/* --- scripts ---------------------------------------------------------------------------------- */

static void make_script(const char *name, const char *interpreter, const char *rest_of_line)
{
	char *text;
	int size = asprintf(&text, "#!%s/%s%s\n", fixture, interpreter, rest_of_line);

	make_file(name, keep(size < 0 ? NULL : text), size, 0755);
}

static void make_scripts(void)
{
	static const struct {
		const char *name, *interpreter;
	} scripts[] = {
		{ "script-good", "bin/dmz" },
		{ "script-missing", "missing" },
		{ "script-dangling-link", "link-dangling" },
		{ "script-missing-loader", "elf-loader-missing" },
		{ "script-no-x", "no-x" },
		{ "script-directory", "directory" },
		{ "script-fifo", "fifo" },
		{ "script-unsearchable", "locked/good" },
		{ "script-noexec", "noexec/good" },
		{ "script-below-file", "good/x" },
		{ "script-link-loop", "link-loop" },
		{ "script-self", "script-self" },
		{ "script-foreign", "elf-other-machine" },
		{ "script-text", "text" },
		{ "script-empty", "empty" },
		{ "script-busy", "busy" },
		{ "chain-1", "bin/dmz" },
		{ "chain-2", "chain-1" },
		{ "chain-3", "chain-2" },
		{ "chain-4", "chain-3" },
		{ "chain-5", "chain-4" },
		{ "chain-6", "chain-5" },
	};
	char *long_line = repeated("#!/", "x", 254);

	for (size_t i = 0; i < COUNT(scripts); i++)
		make_script(scripts[i].name, scripts[i].interpreter, "");
	make_script("script-crlf", "bin/dmz", "\r");
	make_file("script-device", "#!/dev/null\n", strlen("#!/dev/null\n"), 0755);
	make_file("script-long-line", long_line, strlen(long_line), 0755);
}

/* --- ELF files -------------------------------------------------------------------------------- */

/*
 * The smallest program that the kernel of this host loads: it maps itself and asks for a loader. With bin/dmz as the
 * loader it even runs, and exits with 125. Every ELF file below differs from it in one detail.
 */
struct program {
	ElfW(Ehdr) header;
	ElfW(Phdr) loader, load;
	char loader_path[PATH_MAX];
};

/* The linker's. /proc/self/exe would not do: qemu-user opens it by its path, which another user may not reach. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static ElfW(Ehdr) own_header(void)
{
	return __ehdr_start;
}

unsigned own_machine(void)
{
	return own_header().e_machine;
}

/* It has the class, the byte order and the machine of the running program. */
static struct program new_program(const char *loader_path)
{
	const ElfW(Ehdr) own = own_header();
	struct program program = {
		.header = {
			.e_type = ET_DYN,
			.e_machine = own.e_machine,
			.e_version = EV_CURRENT,
			.e_flags = own.e_flags,
			.e_phoff = offsetof(struct program, loader),
			.e_ehsize = sizeof(ElfW(Ehdr)),
			.e_phentsize = sizeof(ElfW(Phdr)),
			.e_phnum = 2,
		},
		.loader = {
			.p_type = PT_INTERP,
			.p_offset = offsetof(struct program, loader_path),
			.p_filesz = strlen(loader_path) + 1,
		},
		.load = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_X,
			.p_filesz = sizeof(struct program),
			.p_memsz = sizeof(struct program),
			.p_align = 0x10000,
		},
	};

	memcpy(program.header.e_ident, own.e_ident, EI_NIDENT);
	strcpy(program.loader_path, loader_path);
	return program;
}

static struct program good_program(void)
{
	return new_program(joined(fixture, "bin/dmz"));
}

static void make_elf(const char *name, const struct program *program)
{
	make_file(name, program, sizeof(*program), 0755);
}

static void make_elf_for_loader(const char *name, const char *loader)
{
	struct program program = new_program(fixture_path(loader));

	make_elf(name, &program);
}

/* Two machines for which nobody registers an emulator in binfmt_misc: Itanium (64 bits) and NEC V850 (32 bits). */
static void other_machine(struct program *program)
{
	program->header.e_machine = sizeof(long) == 8 ? EM_IA_64 : EM_V850;
}

/* A header of the other class. Only the fields that the kernel reads are where that class has them. */
static void other_class(struct program *program, unsigned char class, unsigned short machine)
{
	program->header.e_ident[EI_CLASS] = class;
	program->header.e_machine = machine;
	program->header.e_phentsize = 0;
	if (class == ELFCLASS32) {
		Elf32_Ehdr *header = (Elf32_Ehdr *)&program->header;

		header->e_phoff = sizeof(*header);
		header->e_phentsize = sizeof(Elf32_Phdr);
		header->e_phnum = 1;
	}
}

static void foreign_class(struct program *program)
{
	if (sizeof(long) == 8)
		other_class(program, ELFCLASS32, EM_V850);
	else
		other_class(program, ELFCLASS64, EM_IA_64);
}

static void x32(struct program *program)
{
	other_class(program, ELFCLASS32, EM_X86_64);
}

static void other_byte_order(struct program *program)
{
	program->header.e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	program->header.e_type = __builtin_bswap16(program->header.e_type);
	program->header.e_machine = __builtin_bswap16(program->header.e_machine);
}

static void relocatable(struct program *program)
{
	program->header.e_type = ET_REL;
}

static void core(struct program *program)
{
	program->header.e_type = ET_CORE;
}

static void bad_type(struct program *program)
{
	program->header.e_type = 0x1234;
}

static void no_phdrs(struct program *program)
{
	program->header.e_phnum = 0;
}

static void many_phdrs(struct program *program)
{
	program->header.e_phnum = 0xfffe;
}

static void phentsize(struct program *program)
{
	program->header.e_phentsize++;
}

static void loader_name_short(struct program *program)
{
	program->loader.p_filesz = 1;
}

static void loader_name_huge(struct program *program)
{
	program->loader.p_filesz = 5000;
}

static void loader_name_no_nul(struct program *program)
{
	program->loader.p_filesz--;
}

static void loader_name_past_end(struct program *program)
{
	program->loader.p_offset = sizeof(*program) - 1;
}

static void loader_name_empty(struct program *program)
{
	memset(program->loader_path, 0, sizeof(program->loader_path));
}

static void unchanged(struct program *program)
{
	(void)program;
}

static void make_broken_elfs(void)
{
	static const struct {
		const char *name;
		void (*change)(struct program *program);
	} files[] = {
		{ "elf-good", unchanged },
		{ "elf-other-machine", other_machine },
		{ "elf-other-class", foreign_class },
		{ "elf-other-byte-order", other_byte_order },
		{ "elf-x32", x32 },
		{ "elf-relocatable", relocatable },
		{ "elf-core", core },
		{ "elf-bad-type", bad_type },
		{ "elf-no-phdrs", no_phdrs },
		{ "elf-many-phdrs", many_phdrs },
		{ "elf-phentsize", phentsize },
		{ "elf-loader-name-short", loader_name_short },
		{ "elf-loader-name-huge", loader_name_huge },
		{ "elf-loader-name-no-nul", loader_name_no_nul },
		{ "elf-loader-name-past-end", loader_name_past_end },
		{ "elf-loader-name-empty", loader_name_empty },
	};
	struct program program;

	for (size_t i = 0; i < COUNT(files); i++) {
		program = good_program();
		files[i].change(&program);
		make_elf(files[i].name, &program);
	}
	program = good_program();
	make_file("elf-cut-in-header", &program, 40, 0755);
	make_file("elf-cut-in-phdrs", &program, offsetof(struct program, load) + 8, 0755);
}

static void make_elfs_for_loaders(void)
{
	static const struct {
		const char *name, *loader;
	} files[] = {
		{ "elf-loader-long-name", "@long-name" },     { "elf-loader-missing", "@/missing" },
		{ "elf-loader-dangling", "@/link-dangling" }, { "elf-loader-loop", "@/link-loop" },
		{ "elf-loader-below-file", "@/good/x" },      { "elf-loader-no-x", "@/no-x" },
		{ "elf-loader-directory", "@/directory" },    { "elf-loader-unsearchable", "@/locked/good" },
		{ "elf-loader-noexec", "@/noexec/good" },     { "elf-loader-empty", "@/empty" },
		{ "elf-loader-short", "@/loader-short" },     { "elf-loader-garbage", "@/loader-garbage" },
		{ "elf-loader-script", "@/loader-script" },   { "elf-loader-other-machine", "@/elf-other-machine" },
		{ "elf-loader-cut", "@/loader-cut" },	      { "elf-loader-busy", "@/busy" },
	};
	struct program loader = good_program();

	for (size_t i = 0; i < COUNT(files); i++)
		make_elf_for_loader(files[i].name, files[i].loader);
	make_file("loader-cut", &loader, sizeof(loader.header), 0755);
}

/* --- the fixture ------------------------------------------------------------------------------ */

/* This may fail: some file systems and containers do not allow it. The state capbset checks for the capability. */
static void make_file_with_capability(void)
{
	const struct vfs_cap_data data = {
		.magic_etc = htole32(VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE),
		.data[0].permitted = htole32(1 << CAP_NET_RAW),
	};
	char *path = joined(fixture, "file-capability");

	copy_built("dmz", "file-capability");
	setxattr(path, "security.capability", &data, sizeof(data), 0);
}

static void make_files(void)
{
	make_directory("bin", 0755);
	make_directory("directory", 0755);
	make_directory("noexec", 0755);
	make_directory("locked", 0755);
	copy_built("dmz", "bin/dmz");
	copy_built("errpipe", "bin/errpipe");
	copy_built("dmz", "good");
	copy_built("dmz", "busy");
	copy_built("dmz", "noexec/good");
	copy_built("dmz", "locked/good");
	lock("locked");
	make_node("fifo", S_IFIFO);
	make_node("socket", S_IFSOCK);
	make_non_programs();
	make_tar();
	make_links();
	make_scripts();
	make_broken_elfs();
	make_elfs_for_loaders();
	if (geteuid() == 0)
		make_file_with_capability();
}

/* Every case would fail for the wrong reason in a directory that other users cannot enter, or on a noexec mount. */
static void check_fixture(void)
{
	struct statvfs fs;
	int status;

	if (statvfs(fixture, &fs) < 0)
		die("cannot look at", fixture);
	errno = EACCES;
	if (fs.f_flag & ST_NOEXEC)
		die("set TMPDIR to a place that is not mounted noexec:", fixture);
	if (geteuid() != 0)
		return;
	if (fork() == 0)
		_exit(become(AS_NOBODY) < 0 || access(fixture, R_OK | X_OK) < 0);
	if (wait(&status) < 0 || status != 0)
		die("set TMPDIR to a place that everybody can reach:", fixture);
}

static void remove_tree(const char *path)
{
	struct dirent *entry;
	DIR *directory;

	if (unlink(path) == 0)
		return;
	chmod(path, 0700);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove_tree(joined(path, entry->d_name));
	}
	if (directory)
		closedir(directory);
	if (rmdir(path) < 0) {
		perror(path);
		_exit(EXIT_FAILURE);
	}
}

/* Children of the tests run this too when they exit. */
static void remove_fixture(void)
{
	if (getpid() == maker)
		remove_tree(fixture);
}

const char *fixture_make(void)
{
	const char *parent = getenv("TMPDIR");

	fixture = joined(parent && *parent ? parent : "/tmp", "errpipe.XXXXXX");
	if (!mkdtemp(fixture))
		die("cannot make", fixture);
	maker = getpid();
	atexit(remove_fixture);
	if (chmod(fixture, 0755) < 0)
		die("cannot open", fixture);
	check_fixture();
	make_files();
	return fixture;
}
