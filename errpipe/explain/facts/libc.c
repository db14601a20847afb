/* SPDX-License-Identifier: MIT */
/* The loaders of the C libraries: which library a loader belongs to, and which package or system provides it. */
#define _GNU_SOURCE
#include <string.h>

#include "explain/facts/facts.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/*
 * The paths of the C libraries' loaders on each architecture, by its name in machine.c. For glibc,
 * https://sourceware.org/glibc/wiki/ABIList has a list; musl's is /lib/ld-musl-ARCH.so.1 (arch/ARCH/reloc.h there).
 */
static const struct ep_loader loaders[] = {
	{ "x86_64", "/lib64/ld-linux-x86-64.so.2", EP_GLIBC },
	{ "x86_64", "/lib/ld-musl-x86_64.so.1", EP_MUSL },
	{ "x32", "/libx32/ld-linux-x32.so.2", EP_GLIBC },
	{ "x32", "/lib/ld-musl-x32.so.1", EP_MUSL },
	{ "i386", "/lib/ld-linux.so.2", EP_GLIBC },
	{ "i386", "/lib/ld-musl-i386.so.1", EP_MUSL },
	{ "aarch64", "/lib/ld-linux-aarch64.so.1", EP_GLIBC },
	{ "aarch64", "/lib/ld-musl-aarch64.so.1", EP_MUSL },
	{ "aarch64_be", "/lib/ld-linux-aarch64_be.so.1", EP_GLIBC },
	{ "aarch64_be", "/lib/ld-musl-aarch64_be.so.1", EP_MUSL },
	{ "arm", "/lib/ld-linux-armhf.so.3", EP_GLIBC },
	{ "arm", "/lib/ld-linux.so.3", EP_GLIBC },
	{ "arm", "/lib/ld-musl-armhf.so.1", EP_MUSL },
	{ "arm", "/lib/ld-musl-arm.so.1", EP_MUSL },
	{ "armeb", "/lib/ld-linux.so.3", EP_GLIBC },
	{ "armeb", "/lib/ld-musl-armeb.so.1", EP_MUSL },
	{ "riscv64", "/lib/ld-linux-riscv64-lp64d.so.1", EP_GLIBC },
	{ "riscv64", "/lib/ld-linux-riscv64-lp64.so.1", EP_GLIBC },
	{ "riscv64", "/lib/ld-musl-riscv64.so.1", EP_MUSL },
	{ "riscv64", "/lib/ld-musl-riscv64-sf.so.1", EP_MUSL },
	{ "riscv32", "/lib/ld-linux-riscv32-ilp32d.so.1", EP_GLIBC },
	{ "riscv32", "/lib/ld-musl-riscv32.so.1", EP_MUSL },
	{ "ppc64le", "/lib64/ld64.so.2", EP_GLIBC },
	{ "ppc64le", "/lib/ld-musl-powerpc64le.so.1", EP_MUSL },
	{ "ppc64", "/lib64/ld64.so.1", EP_GLIBC },
	{ "ppc64", "/lib/ld-musl-powerpc64.so.1", EP_MUSL },
	{ "ppc", "/lib/ld.so.1", EP_GLIBC },
	{ "ppc", "/lib/ld-musl-powerpc.so.1", EP_MUSL },
	{ "ppc", "/lib/ld-musl-powerpc-sf.so.1", EP_MUSL },
	{ "s390x", "/lib/ld64.so.1", EP_GLIBC },
	{ "s390x", "/lib/ld-musl-s390x.so.1", EP_MUSL },
	{ "s390", "/lib/ld.so.1", EP_GLIBC },
	{ "mips", "/lib/ld.so.1", EP_GLIBC },
	{ "mips", "/lib/ld-musl-mips.so.1", EP_MUSL },
	{ "mips", "/lib/ld-musl-mips-sf.so.1", EP_MUSL },
	{ "mipsel", "/lib/ld.so.1", EP_GLIBC },
	{ "mipsel", "/lib/ld-linux-mipsn8.so.1", EP_GLIBC },
	{ "mipsel", "/lib/ld-musl-mipsel.so.1", EP_MUSL },
	{ "mipsel", "/lib/ld-musl-mipsel-sf.so.1", EP_MUSL },
	{ "mips64", "/lib64/ld.so.1", EP_GLIBC },
	{ "mips64", "/lib/ld-musl-mips64.so.1", EP_MUSL },
	{ "mips64el", "/lib64/ld.so.1", EP_GLIBC },
	{ "mips64el", "/lib64/ld-linux-mipsn8.so.1", EP_GLIBC },
	{ "mips64el", "/lib/ld-musl-mips64el.so.1", EP_MUSL },
	{ "loongarch64", "/lib64/ld-linux-loongarch-lp64d.so.1", EP_GLIBC },
	{ "loongarch64", "/lib/ld-musl-loongarch64.so.1", EP_MUSL },
	{ "alpha", "/lib/ld-linux.so.2", EP_GLIBC },
	{ "sparc64", "/lib64/ld-linux.so.2", EP_GLIBC },
	{ "sparc", "/lib/ld-linux.so.2", EP_GLIBC },
	{ "sparc32plus", "/lib/ld-linux.so.2", EP_GLIBC },
	{ "hppa", "/lib/ld.so.1", EP_GLIBC },
	{ "m68k", "/lib/ld.so.1", EP_GLIBC },
	{ "m68k", "/lib/ld-musl-m68k.so.1", EP_MUSL },
	{ "sh4", "/lib/ld-linux.so.2", EP_GLIBC },
	{ "sh4", "/lib/ld-musl-sh.so.1", EP_MUSL },
	{ "sh4eb", "/lib/ld-musl-sheb.so.1", EP_MUSL },
	{ "ia64", "/lib/ld-linux-ia64.so.2", EP_GLIBC },
	{ "arc", "/lib/ld-linux-arc.so.2", EP_GLIBC },
	{ "csky", "/lib/ld-linux-cskyv2-hf.so.1", EP_GLIBC },
	{ "microblaze", "/lib/ld.so.1", EP_GLIBC },
	{ "microblaze", "/lib/ld-musl-microblaze.so.1", EP_MUSL },
	{ "microblazeel", "/lib/ld.so.1", EP_GLIBC },
	{ "microblazeel", "/lib/ld-musl-microblazeel.so.1", EP_MUSL },
	{ "or1k", "/lib/ld-linux-or1k.so.1", EP_GLIBC },
	{ "or1k", "/lib/ld-musl-or1k.so.1", EP_MUSL },
	{ "nios2", "/lib/ld-linux-nios2.so.1", EP_GLIBC },
	{ "x86_64", "/lib64/ld64-uClibc.so.0", EP_UCLIBC },
	{ "x86_64", "/system/bin/linker64", EP_BIONIC },
	{ "aarch64", "/system/bin/linker64", EP_BIONIC },
	{ "riscv64", "/system/bin/linker64", EP_BIONIC },
	{ "i386", "/system/bin/linker", EP_BIONIC },
	{ "arm", "/system/bin/linker", EP_BIONIC },
	{ "i386", "/lib/ld-uClibc.so.0", EP_UCLIBC },
	{ "arm", "/lib/ld-uClibc.so.0", EP_UCLIBC },
	{ "mips", "/lib/ld-uClibc.so.0", EP_UCLIBC },
	{ "mipsel", "/lib/ld-uClibc.so.0", EP_UCLIBC },
};

/* Loaders that come with another system, or from outside the distribution. */
static const struct {
	const char *begins;
	enum errpipe_detail origin;
	const char *name;
} origins[] = {
	{ "/nix/store/", ERRPIPE_DETAIL_FROM_STORE, "Nix" },
	{ "/gnu/store/", ERRPIPE_DETAIL_FROM_STORE, "Guix" },
	{ "/home/linuxbrew/", ERRPIPE_DETAIL_FROM_SYSTEM, "Homebrew" },
	{ "/data/data/com.termux/", ERRPIPE_DETAIL_FROM_SYSTEM, "Termux" },
	{ "/system/bin/linker", ERRPIPE_DETAIL_FROM_ANDROID, "Android" },
	{ "/apex/com.android.", ERRPIPE_DETAIL_FROM_ANDROID, "Android" },
	{ "/libexec/ld-elf", ERRPIPE_DETAIL_FROM_SYSTEM, "FreeBSD" },
	{ "/usr/libexec/ld-elf.so", ERRPIPE_DETAIL_FROM_SYSTEM, "FreeBSD" },
	{ "/usr/libexec/ld.elf_so", ERRPIPE_DETAIL_FROM_SYSTEM, "NetBSD" },
	{ "/libexec/ld.elf_so", ERRPIPE_DETAIL_FROM_SYSTEM, "NetBSD" },
	{ "/usr/libexec/ld.so", ERRPIPE_DETAIL_FROM_SYSTEM, "OpenBSD" },
	{ "/usr/lib/ld.so.1", ERRPIPE_DETAIL_FROM_SYSTEM, "Solaris" },
	{ "/usr/lib/amd64/ld.so.1", ERRPIPE_DETAIL_FROM_SYSTEM, "Solaris" },
	{ "/lib/amd64/ld.so.1", ERRPIPE_DETAIL_FROM_SYSTEM, "Solaris" },
	{ "/lib64/ld-lsb-", ERRPIPE_DETAIL_FROM_LSB, "lsb-core" },
	{ "/lib/ld-lsb", ERRPIPE_DETAIL_FROM_LSB, "lsb-core" },
};

const char *ep_libc_name(enum ep_libc libc)
{
	static const char *const names[] = {
		[EP_GLIBC] = "glibc", [EP_MUSL] = "musl", [EP_UCLIBC] = "uClibc", [EP_BIONIC] = "Android"
	};

	return names[libc];
}

static bool is_for(const struct ep_loader *loader, const char *architecture)
{
	return architecture && strcmp(loader->architecture, architecture) == 0;
}

const struct ep_loader *ep_known_loader(const char *path, const char *architecture)
{
	for (size_t i = 0; i < COUNT(loaders); i++) {
		if (is_for(&loaders[i], architecture) && strcmp(loaders[i].path, path) == 0)
			return &loaders[i];
	}
	return NULL;
}

bool ep_libc_of(const char *path, enum ep_libc *libc)
{
	static const struct {
		const char *begins;
		enum ep_libc libc;
	} names[] = {
		{ "ld-linux", EP_GLIBC }, { "ld64.so.", EP_GLIBC },   { "ld.so.1", EP_GLIBC },
		{ "ld-musl-", EP_MUSL },  { "ld-uClibc", EP_UCLIBC }, { "ld64-uClibc", EP_UCLIBC },
		{ "linker", EP_BIONIC },
	};
	const char *name = ep_last_name(path);

	for (size_t i = 0; i < COUNT(names); i++) {
		if (ep_begins_with(name, names[i].begins)) {
			*libc = names[i].libc;
			return true;
		}
	}
	return false;
}

const struct ep_loader *ep_next_loader(const struct ep_loader *before, const char *architecture, enum ep_libc not )
{
	const struct ep_loader *loader = before ? before + 1 : loaders;

	for (; loader < loaders + COUNT(loaders); loader++) {
		if (is_for(loader, architecture) && loader->libc != not )
			return loader;
	}
	return NULL;
}

enum errpipe_detail ep_loader_origin(const char *path, const char **name)
{
	for (size_t i = 0; i < COUNT(origins); i++) {
		if (ep_begins_with(path, origins[i].begins)) {
			*name = origins[i].name;
			return origins[i].origin;
		}
	}
	return 0;
}

/* Debian's name for glibc's package, which differs on a few architectures. */
static const char *glibc_package(const struct ep_machine *machine)
{
	bool older = machine && machine->debian &&
		     (strcmp(machine->debian, "alpha") == 0 || strcmp(machine->debian, "ia64") == 0);

	return older ? "libc6.1" : "libc6";
}

const char *ep_package(const struct ep_loader *loader, const struct ep_machine *machine)
{
	if (loader->libc == EP_MUSL)
		return "musl";
	return loader->libc == EP_GLIBC ? glibc_package(machine) : NULL;
}

/* Debian's name for the architecture of a loader. That of soft-float ARM differs from the one in machine.c. */
static const char *debian_name(const struct ep_loader *loader, const struct ep_machine *machine)
{
	if (strcmp(loader->path, "/lib/ld-linux.so.3") == 0)
		return strcmp(loader->architecture, "arm") == 0 ? "armel" : NULL;
	return machine ? machine->debian : NULL;
}

const char *ep_foreign_package(struct ep_check *c, const struct ep_loader *loader, const struct ep_machine *machine)
{
	const char *debian = debian_name(loader, machine), *package = ep_package(loader, machine);

	if (strcmp(loader->architecture, "x32") == 0 && loader->libc == EP_GLIBC)
		return "libc6-x32";
	return debian && package ? ep_keep(c, "%s:%s", package, debian) : NULL;
}
