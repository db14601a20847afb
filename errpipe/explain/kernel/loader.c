/* SPDX-License-Identifier: MIT */
/* A loader that is missing: whose it is, and what brings it. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/explain.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum libc { GLIBC, MUSL, UCLIBC, BIONIC };

static const char *const libc_names[] = { "glibc", "musl", "uClibc", "Android" };

/*
 * The paths that the C libraries give their loaders on each architecture, which has its name as in machine.c: of glibc
 * and its packages https://sourceware.org/glibc/wiki/ABIList has a list, of musl it is /lib/ld-musl-ARCH.so.1, see
 * arch/ARCH/reloc.h there.
 */
static const struct loader {
	const char *architecture, *path;
	enum libc libc;
} loaders[] = {
	{ "x86_64", "/lib64/ld-linux-x86-64.so.2", GLIBC },
	{ "x86_64", "/lib/ld-musl-x86_64.so.1", MUSL },
	{ "x32", "/libx32/ld-linux-x32.so.2", GLIBC },
	{ "x32", "/lib/ld-musl-x32.so.1", MUSL },
	{ "i386", "/lib/ld-linux.so.2", GLIBC },
	{ "i386", "/lib/ld-musl-i386.so.1", MUSL },
	{ "aarch64", "/lib/ld-linux-aarch64.so.1", GLIBC },
	{ "aarch64", "/lib/ld-musl-aarch64.so.1", MUSL },
	{ "aarch64_be", "/lib/ld-linux-aarch64_be.so.1", GLIBC },
	{ "aarch64_be", "/lib/ld-musl-aarch64_be.so.1", MUSL },
	{ "arm", "/lib/ld-linux-armhf.so.3", GLIBC },
	{ "arm", "/lib/ld-linux.so.3", GLIBC },
	{ "arm", "/lib/ld-musl-armhf.so.1", MUSL },
	{ "arm", "/lib/ld-musl-arm.so.1", MUSL },
	{ "armeb", "/lib/ld-linux.so.3", GLIBC },
	{ "armeb", "/lib/ld-musl-armeb.so.1", MUSL },
	{ "riscv64", "/lib/ld-linux-riscv64-lp64d.so.1", GLIBC },
	{ "riscv64", "/lib/ld-linux-riscv64-lp64.so.1", GLIBC },
	{ "riscv64", "/lib/ld-musl-riscv64.so.1", MUSL },
	{ "riscv64", "/lib/ld-musl-riscv64-sf.so.1", MUSL },
	{ "riscv32", "/lib/ld-linux-riscv32-ilp32d.so.1", GLIBC },
	{ "riscv32", "/lib/ld-musl-riscv32.so.1", MUSL },
	{ "ppc64le", "/lib64/ld64.so.2", GLIBC },
	{ "ppc64le", "/lib/ld-musl-powerpc64le.so.1", MUSL },
	{ "ppc64", "/lib64/ld64.so.1", GLIBC },
	{ "ppc64", "/lib/ld-musl-powerpc64.so.1", MUSL },
	{ "ppc", "/lib/ld.so.1", GLIBC },
	{ "ppc", "/lib/ld-musl-powerpc.so.1", MUSL },
	{ "ppc", "/lib/ld-musl-powerpc-sf.so.1", MUSL },
	{ "s390x", "/lib/ld64.so.1", GLIBC },
	{ "s390x", "/lib/ld-musl-s390x.so.1", MUSL },
	{ "s390", "/lib/ld.so.1", GLIBC },
	{ "mips", "/lib/ld.so.1", GLIBC },
	{ "mips", "/lib/ld-musl-mips.so.1", MUSL },
	{ "mips", "/lib/ld-musl-mips-sf.so.1", MUSL },
	{ "mipsel", "/lib/ld.so.1", GLIBC },
	{ "mipsel", "/lib/ld-linux-mipsn8.so.1", GLIBC },
	{ "mipsel", "/lib/ld-musl-mipsel.so.1", MUSL },
	{ "mipsel", "/lib/ld-musl-mipsel-sf.so.1", MUSL },
	{ "mips64", "/lib64/ld.so.1", GLIBC },
	{ "mips64", "/lib/ld-musl-mips64.so.1", MUSL },
	{ "mips64el", "/lib64/ld.so.1", GLIBC },
	{ "mips64el", "/lib64/ld-linux-mipsn8.so.1", GLIBC },
	{ "mips64el", "/lib/ld-musl-mips64el.so.1", MUSL },
	{ "loongarch64", "/lib64/ld-linux-loongarch-lp64d.so.1", GLIBC },
	{ "loongarch64", "/lib/ld-musl-loongarch64.so.1", MUSL },
	{ "alpha", "/lib/ld-linux.so.2", GLIBC },
	{ "sparc64", "/lib64/ld-linux.so.2", GLIBC },
	{ "sparc", "/lib/ld-linux.so.2", GLIBC },
	{ "sparc32plus", "/lib/ld-linux.so.2", GLIBC },
	{ "hppa", "/lib/ld.so.1", GLIBC },
	{ "m68k", "/lib/ld.so.1", GLIBC },
	{ "m68k", "/lib/ld-musl-m68k.so.1", MUSL },
	{ "sh4", "/lib/ld-linux.so.2", GLIBC },
	{ "sh4", "/lib/ld-musl-sh.so.1", MUSL },
	{ "sh4eb", "/lib/ld-musl-sheb.so.1", MUSL },
	{ "ia64", "/lib/ld-linux-ia64.so.2", GLIBC },
	{ "arc", "/lib/ld-linux-arc.so.2", GLIBC },
	{ "csky", "/lib/ld-linux-cskyv2-hf.so.1", GLIBC },
	{ "microblaze", "/lib/ld.so.1", GLIBC },
	{ "microblaze", "/lib/ld-musl-microblaze.so.1", MUSL },
	{ "microblazeel", "/lib/ld.so.1", GLIBC },
	{ "microblazeel", "/lib/ld-musl-microblazeel.so.1", MUSL },
	{ "or1k", "/lib/ld-linux-or1k.so.1", GLIBC },
	{ "or1k", "/lib/ld-musl-or1k.so.1", MUSL },
	{ "nios2", "/lib/ld-linux-nios2.so.1", GLIBC },
	{ "x86_64", "/lib64/ld64-uClibc.so.0", UCLIBC },
	{ "x86_64", "/system/bin/linker64", BIONIC },
	{ "aarch64", "/system/bin/linker64", BIONIC },
	{ "riscv64", "/system/bin/linker64", BIONIC },
	{ "i386", "/system/bin/linker", BIONIC },
	{ "arm", "/system/bin/linker", BIONIC },
	{ "i386", "/lib/ld-uClibc.so.0", UCLIBC },
	{ "arm", "/lib/ld-uClibc.so.0", UCLIBC },
	{ "mips", "/lib/ld-uClibc.so.0", UCLIBC },
	{ "mipsel", "/lib/ld-uClibc.so.0", UCLIBC },
};

/* Loaders that no package of a distribution brings. */
static const struct {
	const char *begins, *object;
} elsewhere[] = {
	{ "/nix/store/", "what of Nix's store it was built with" },
	{ "/gnu/store/", "what of Guix's store it was built with" },
	{ "/home/linuxbrew/", "Homebrew, which it was built with" },
	{ "/data/data/com.termux/", "Termux, which it was built for" },
	{ "/system/bin/linker", "what it was built for, which is Android" },
	{ "/apex/com.android.", "what it was built for, which is Android" },
	{ "/libexec/ld-elf", "what it was built for, which is FreeBSD" },
	{ "/usr/libexec/ld-elf.so", "what it was built for, which is an old BSD" },
	{ "/usr/libexec/ld.elf_so", "what it was built for, which is NetBSD" },
	{ "/libexec/ld.elf_so", "what it was built for, which is NetBSD" },
	{ "/usr/libexec/ld.so", "what it was built for, which is OpenBSD" },
	{ "/usr/lib/ld.so.1", "what it was built for, which is Solaris" },
	{ "/usr/lib/amd64/ld.so.1", "what it was built for, which is Solaris" },
	{ "/lib/amd64/ld.so.1", "what it was built for, which is Solaris" },
	{ "/lib64/ld-lsb-", "lsb-core (Debian up to 8)" },
	{ "/lib/ld-lsb", "lsb-core (Debian up to 8)" },
};

static bool begins_with(const char *text, const char *begin)
{
	return strncmp(text, begin, strlen(begin)) == 0;
}

static bool is_for(const struct loader *loader, const struct errpipe_link *program)
{
	return program->architecture && strcmp(loader->architecture, program->architecture) == 0;
}

static const struct loader *find_loader(const char *path, const struct errpipe_link *program)
{
	for (size_t i = 0; i < COUNT(loaders); i++) {
		if (is_for(&loaders[i], program) && strcmp(loaders[i].path, path) == 0)
			return &loaders[i];
	}
	return NULL;
}

/* A loader that somebody has put elsewhere is known by its name. */
static const char *libc_of(const char *path)
{
	static const struct {
		const char *begins;
		enum libc libc;
	} names[] = {
		{ "ld-linux", GLIBC },	 { "ld64.so.", GLIBC },	    { "ld.so.1", GLIBC }, { "ld-musl-", MUSL },
		{ "ld-uClibc", UCLIBC }, { "ld64-uClibc", UCLIBC }, { "linker", BIONIC },
	};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < COUNT(names); i++) {
		if (begins_with(name, names[i].begins))
			return libc_names[names[i].libc];
	}
	return NULL;
}

/* A loader in the root for programs of that architecture, of another C library. */
static const struct loader *find_other(struct ep_case *c, const struct errpipe_link *program, const char *libc)
{
	for (size_t i = 0; i < COUNT(loaders); i++) {
		if (is_for(&loaders[i], program) && strcmp(libc_names[loaders[i].libc], libc) != 0 &&
		    ep_exists(c, loaders[i].path))
			return &loaders[i];
	}
	return NULL;
}

static const char *belongs_to(const char *path)
{
	for (size_t i = 0; i < COUNT(elsewhere); i++) {
		if (begins_with(path, elsewhere[i].begins))
			return elsewhere[i].object;
	}
	return NULL;
}

/* Debian's packages. The first is not called libc6 everywhere. */
static const struct {
	const char *debian, *package;
} packages[] = {
	{ "alpha", "libc6.1" },
	{ "ia64", "libc6.1" },
};

static const char *glibc_package(const struct ep_machine *machine)
{
	for (size_t i = 0; i < COUNT(packages); i++) {
		if (machine && machine->debian && strcmp(machine->debian, packages[i].debian) == 0)
			return packages[i].package;
	}
	return "libc6";
}

/* Debian's name for the architecture of a loader: those of soft-float ARM have another than machine.c gives. */
static const char *debian_name(const struct loader *loader, const struct ep_machine *machine)
{
	if (strcmp(loader->path, "/lib/ld-linux.so.3") == 0)
		return strcmp(loader->architecture, "arm") == 0 ? "armel" : NULL;
	return machine ? machine->debian : NULL;
}

static bool is_foreign(const struct errpipe_link *program)
{
	return ep_support(program) != EP_NATIVE;
}

static const char *other_abi(struct ep_case *c, const struct errpipe_link *program, const struct loader *loader,
			     const struct ep_machine *machine)
{
	const char *debian = debian_name(loader, machine);
	const char *package = loader->libc == MUSL ? "musl" : glibc_package(machine);

	if (ep_is_x32(program) && loader->libc == GLIBC)
		return "install libc6-x32 (on Debian)";
	if (!debian || loader->libc > MUSL)
		return NULL;
	return ep_keep(c, "dpkg --add-architecture %s, and install %s:%s (on Debian)", debian, package, debian);
}

static const char *package_of(struct ep_case *c, const struct loader *loader, const struct ep_machine *machine)
{
	if (loader->libc == MUSL)
		return "musl";
	if (loader->libc == GLIBC)
		return ep_keep(c, "%s (Debian) or gcompat (Alpine)", glibc_package(machine));
	return NULL;
}

void ep_loader_missing(struct ep_case *c, const struct errpipe_link *link, const struct errpipe_link *program)
{
	const struct ep_machine *machine = ep_machine(program->machine, program->elf_class, program->elf_data);
	const struct loader *loader = find_loader(link->path, program), *other;
	const char *libc = libc_of(link->path), *object = belongs_to(link->path);

	other = libc && !object ? find_other(c, program, libc) : NULL;
	if (other) {
		ep_refine(c, ERRPIPE_CAUSE_LOADER_OF_OTHER_LIBC,
			  ep_keep(c, "%s is there: built for %s, image has %s", other->path, libc,
				  libc_names[other->libc]));
		return;
	}
	if (loader && !object && is_foreign(program)) {
		object = other_abi(c, program, loader, machine);
		if (object) {
			ep_refine(c, ERRPIPE_CAUSE_LOADER_OF_OTHER_ABI, object);
			return;
		}
	}
	if (!object && loader)
		object = package_of(c, loader, machine);
	ep_refine(c, ERRPIPE_CAUSE_LOADER_MISSING, object);
}
