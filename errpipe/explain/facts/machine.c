/* SPDX-License-Identifier: MIT */
/* Architectures, and which of them this machine's kernel runs. */
#define _GNU_SOURCE
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/utsname.h>

#include "explain/facts/facts.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Numbers that <elf.h> may lack, or have by another name: binutils' include/elf/common.h. */
enum {
	M_NONE = 0,
	M_M32 = 1,
	M_88K = 5,
	M_486 = 6,
	M_SPU = 23,
	M_V800 = 36,
	M_H8_300 = 46,
	M_IA_64 = 50,
	M_CRIS = 76,
	M_AVR = 83,
	M_V850 = 87,
	M_M32R = 88,
	M_MN10300 = 89,
	M_OPENRISC = 92,
	M_ARC_COMPACT = 93,
	M_XTENSA = 94,
	M_MSP430 = 105,
	M_BLACKFIN = 106,
	M_NIOS2 = 113,
	M_C6000 = 140,
	M_HEXAGON = 164,
	M_NDS32 = 167,
	M_RX = 173,
	M_TILEPRO = 188,
	M_MICROBLAZE = 189,
	M_CUDA = 190,
	M_TILEGX = 191,
	M_ARC_COMPACT2 = 195,
	M_Z80 = 220,
	M_AMDGPU = 224,
	M_LANAI = 244,
	M_BPF = 247,
	M_VE = 251,
	M_CSKY = 252,
	M_ARC_COMPACT3_64 = 253,
	M_ARC_COMPACT3 = 255,
	M_KVX = 256,
	M_S390_OLD = 0xa390,
	M_MICROBLAZE_OLD = 0xbaab,
#define MACHINE(id, number, family) M_##id = (number),
#include "dmz/machines.def"
};

enum { ANY = 0, C32 = 1, C64 = 2, LITTLE = 1, BIG = 2 };

/* The first one that fits counts. */
static const struct ep_machine machines[] = {
	{ M_X86_64, C32, ANY, "x32", NULL, "x32" },
	{ M_X86_64, ANY, ANY, "x86_64", "linux/amd64", "amd64" },
	{ M_386, ANY, ANY, "i386", "linux/386", "i386" },
	{ M_486, ANY, ANY, "i386", "linux/386", "i386" },
	{ M_AARCH64, C32, ANY, "aarch64_ilp32", NULL, NULL },
	{ M_AARCH64, ANY, BIG, "aarch64_be", NULL, NULL },
	{ M_AARCH64, ANY, ANY, "aarch64", "linux/arm64", "arm64" },
	{ M_ARM, ANY, BIG, "armeb", NULL, NULL },
	{ M_ARM, ANY, ANY, "arm", "linux/arm", "armhf" },
	{ M_RISCV, C32, ANY, "riscv32", NULL, NULL },
	{ M_RISCV, C64, ANY, "riscv64", "linux/riscv64", "riscv64" },
	{ M_S390, C32, ANY, "s390", NULL, NULL },
	{ M_S390, C64, ANY, "s390x", "linux/s390x", "s390x" },
	{ M_S390_OLD, C32, ANY, "s390", NULL, NULL },
	{ M_S390_OLD, C64, ANY, "s390x", "linux/s390x", "s390x" },
	{ M_PPC64, ANY, LITTLE, "ppc64le", "linux/ppc64le", "ppc64el" },
	{ M_PPC64, ANY, ANY, "ppc64", NULL, "ppc64" },
	{ M_PPC, ANY, LITTLE, "ppcle", NULL, NULL },
	{ M_PPC, ANY, ANY, "ppc", NULL, "powerpc" },
	{ M_MIPS, C64, LITTLE, "mips64el", "linux/mips64le", "mips64el" },
	{ M_MIPS, C64, ANY, "mips64", NULL, "mips64" },
	{ M_MIPS, C32, LITTLE, "mipsel", NULL, "mipsel" },
	{ M_MIPS, C32, ANY, "mips", NULL, "mips" },
	{ M_LOONGARCH, C32, ANY, "loongarch32", NULL, NULL },
	{ M_LOONGARCH, C64, ANY, "loongarch64", "linux/loong64", "loong64" },
	{ M_ALPHA, ANY, ANY, "alpha", NULL, "alpha" },
	{ M_SPARCV9, ANY, ANY, "sparc64", NULL, "sparc64" },
	{ M_SPARC, ANY, ANY, "sparc", NULL, "sparc" },
	{ M_SPARC32PLUS, ANY, ANY, "sparc32plus", NULL, "sparc" },
	{ M_PARISC, C64, ANY, "hppa64", NULL, NULL },
	{ M_PARISC, C32, ANY, "hppa", NULL, "hppa" },
	{ M_68K, ANY, ANY, "m68k", NULL, "m68k" },
	{ M_SH, ANY, BIG, "sh4eb", NULL, NULL },
	{ M_SH, ANY, ANY, "sh4", NULL, "sh4" },
	{ M_IA_64, ANY, ANY, "ia64", NULL, "ia64" },
	{ M_ARC_COMPACT, ANY, ANY, "arc", NULL, "arc" },
	{ M_ARC_COMPACT2, ANY, ANY, "arc", NULL, "arc" },
	{ M_ARC_COMPACT3, ANY, ANY, "arc", NULL, "arc" },
	{ M_ARC_COMPACT3_64, ANY, ANY, "arc64", NULL, NULL },
	{ M_MICROBLAZE, ANY, LITTLE, "microblazeel", NULL, NULL },
	{ M_MICROBLAZE, ANY, ANY, "microblaze", NULL, NULL },
	{ M_MICROBLAZE_OLD, ANY, ANY, "microblaze", NULL, NULL },
	{ M_XTENSA, ANY, BIG, "xtensaeb", NULL, NULL },
	{ M_XTENSA, ANY, ANY, "xtensa", NULL, NULL },
	{ M_OPENRISC, ANY, ANY, "or1k", NULL, "or1k" },
	{ M_NIOS2, ANY, ANY, "nios2", NULL, NULL },
	{ M_CSKY, ANY, ANY, "csky", NULL, NULL },
	{ M_HEXAGON, ANY, ANY, "hexagon", NULL, NULL },
	{ M_M32, ANY, ANY, "we32100", NULL, NULL },
	{ M_88K, ANY, ANY, "m88k", NULL, NULL },
	{ M_SPU, ANY, ANY, "spu", NULL, NULL },
	{ M_V800, ANY, ANY, "v800", NULL, NULL },
	{ M_V850, ANY, ANY, "v850", NULL, NULL },
	{ M_H8_300, ANY, ANY, "h8300", NULL, NULL },
	{ M_CRIS, ANY, ANY, "cris", NULL, NULL },
	{ M_AVR, ANY, ANY, "avr", NULL, NULL },
	{ M_M32R, ANY, ANY, "m32r", NULL, NULL },
	{ M_MN10300, ANY, ANY, "mn10300", NULL, NULL },
	{ M_MSP430, ANY, ANY, "msp430", NULL, NULL },
	{ M_BLACKFIN, ANY, ANY, "blackfin", NULL, NULL },
	{ M_C6000, ANY, ANY, "c6x", NULL, NULL },
	{ M_NDS32, ANY, ANY, "nds32", NULL, NULL },
	{ M_RX, ANY, ANY, "rx", NULL, NULL },
	{ M_TILEPRO, ANY, ANY, "tilepro", NULL, NULL },
	{ M_TILEGX, ANY, ANY, "tilegx", NULL, NULL },
	{ M_CUDA, ANY, ANY, "cuda", NULL, NULL },
	{ M_Z80, ANY, ANY, "z80", NULL, NULL },
	{ M_AMDGPU, ANY, ANY, "amdgpu", NULL, NULL },
	{ M_LANAI, ANY, ANY, "lanai", NULL, NULL },
	{ M_BPF, ANY, ANY, "bpf", NULL, NULL },
	{ M_VE, ANY, ANY, "ve", NULL, NULL },
	{ M_KVX, ANY, ANY, "kvx", NULL, NULL },
};

static bool fits(unsigned char wanted, unsigned there)
{
	return wanted == ANY || wanted == there;
}

const struct ep_machine *ep_machine(unsigned machine, unsigned elf_class, unsigned elf_data)
{
	for (size_t i = 0; i < COUNT(machines); i++) {
		const struct ep_machine *known = &machines[i];

		if (known->machine == machine && fits(known->elf_class, elf_class) && fits(known->elf_data, elf_data))
			return known;
	}
	return NULL;
}

/* --- the kernel's own ------------------------------------------------------------------------- */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
enum { OWN_ORDER = LITTLE };
#else
enum { OWN_ORDER = BIG };
#endif

/*
 * Prefixes of the names in uname(2), the longer ones first. compat: the machine of a 64-bit kernel that shows this name to
 * processes with the personality PER_LINUX32 (COMPAT_UTS_MACHINE in the kernel).
 */
static const struct {
	const char *name;
	unsigned short machine;
	unsigned char elf_class;
	unsigned short compat;
} hosts[] = {
	{ "x86_64", M_X86_64, C64, 0 },
	{ "ia64", M_IA_64, C64, 0 },
	{ "i", M_386, C32, M_X86_64 }, /* i386 to i686 */
	{ "aarch64", M_AARCH64, C64, 0 },
	{ "arm", M_ARM, C32, M_AARCH64 }, /* armv5tel, armv7l, armv8l */
	{ "riscv64", M_RISCV, C64, 0 },
	{ "riscv32", M_RISCV, C32, M_RISCV },
	{ "s390x", M_S390, C64, 0 },
	{ "s390", M_S390, C32, M_S390 },
	{ "ppc64", M_PPC64, C64, 0 },
	{ "ppc", M_PPC, C32, M_PPC64 },
	{ "mips64", M_MIPS, C64, 0 },
	{ "mips", M_MIPS, C32, M_MIPS },
	{ "loongarch64", M_LOONGARCH, C64, 0 },
	{ "loongarch32", M_LOONGARCH, C32, 0 },
	{ "sparc64", M_SPARCV9, C64, 0 },
	{ "sparc", M_SPARC, C32, M_SPARCV9 },
	{ "parisc", M_PARISC, C32, 0 }, /* also parisc64, whose programs are 32-bit */
	{ "alpha", M_ALPHA, C64, 0 },
	{ "m68k", M_68K, C32, 0 },
	{ "sh", M_SH, C32, 0 },
	{ "arc", M_ARC_COMPACT2, C32, 0 },
	{ "xtensa", M_XTENSA, C32, 0 },
	{ "microblaze", M_MICROBLAZE, C32, 0 },
	{ "nios2", M_NIOS2, C32, 0 },
	{ "openrisc", M_OPENRISC, C32, 0 },
	{ "csky", M_CSKY, C32, 0 },
	{ "hexagon", M_HEXAGON, C32, 0 },
};

/* personality(2): this value only asks. */
static bool is_told_32_bit(void)
{
	int persona = personality(0xffffffff);

	return persona != -1 && (persona & 0xff) == (PER_LINUX32 & 0xff);
}

const struct ep_machine *ep_kernel_machine(const char *name, bool told_32_bit)
{
	static const struct ep_machine unknown = { .name = NULL };

	for (size_t i = 0; i < COUNT(hosts); i++) {
		const struct ep_machine *machine;

		if (strncmp(name, hosts[i].name, strlen(hosts[i].name)) != 0)
			continue;
		if (told_32_bit && hosts[i].compat)
			machine = ep_machine(hosts[i].compat, C64, OWN_ORDER);
		else
			machine = ep_machine(hosts[i].machine, hosts[i].elf_class, OWN_ORDER);
		return machine ? machine : &unknown;
	}
	return &unknown;
}

const struct ep_machine *ep_host_machine(void)
{
	struct utsname uts;

	if (uname(&uts) < 0)
		uts.machine[0] = '\0';
	return ep_kernel_machine(uts.machine, is_told_32_bit());
}

/* A process with the personality UNAME26 sees 2.6 on every kernel. */
unsigned ep_kernel_version(void)
{
	struct utsname uts;
	unsigned major, minor;

	if (uname(&uts) < 0 || sscanf(uts.release, "%u.%u", &major, &minor) != 2 || major < 3)
		return 0;
	return major * 1000 + minor;
}

/* --- the machines that it runs ----------------------------------------------------------------------------- */

enum rule {
	BY_MACHINE, /* the class in the header is ignored */
	BY_CLASS
};

/*
 * elf_check_arch() and compat_elf_check_arch() of the kernel's arch/ARCH/include/asm/elf.h, in the order in which it tries
 * them. None of them checks EI_DATA.
 */
static const struct abi {
	unsigned short host;
	unsigned char host_class;
	unsigned short machine;
	unsigned char elf_class;
	enum rule rule;
	enum ep_support support;
} abis[] = {
	{ M_X86_64, C64, M_X86_64, C32, BY_CLASS, EP_COMPATIBLE },
	{ M_X86_64, C64, M_X86_64, C64, BY_MACHINE, EP_NATIVE },
	{ M_X86_64, C64, M_386, C32, BY_MACHINE, EP_COMPATIBLE },
	{ M_X86_64, C64, M_486, C32, BY_MACHINE, EP_COMPATIBLE },
	{ M_386, C32, M_386, C32, BY_MACHINE, EP_NATIVE },
	{ M_386, C32, M_486, C32, BY_MACHINE, EP_NATIVE },
	{ M_AARCH64, C64, M_AARCH64, C64, BY_MACHINE, EP_NATIVE },
	{ M_AARCH64, C64, M_ARM, C32, BY_MACHINE, EP_COMPATIBLE },
	{ M_ARM, C32, M_ARM, C32, BY_MACHINE, EP_NATIVE },
	{ M_RISCV, C64, M_RISCV, C64, BY_CLASS, EP_NATIVE },
	{ M_RISCV, C64, M_RISCV, C32, BY_CLASS, EP_COMPATIBLE },
	{ M_RISCV, C32, M_RISCV, C32, BY_CLASS, EP_NATIVE },
	{ M_S390, C64, M_S390, C64, BY_CLASS, EP_NATIVE },
	{ M_S390, C64, M_S390_OLD, C64, BY_CLASS, EP_NATIVE },
	{ M_S390, C64, M_S390, C32, BY_CLASS, EP_COMPATIBLE },
	{ M_S390, C64, M_S390_OLD, C32, BY_CLASS, EP_COMPATIBLE },
	{ M_S390, C32, M_S390, C32, BY_CLASS, EP_NATIVE },
	{ M_S390, C32, M_S390_OLD, C32, BY_CLASS, EP_NATIVE },
	{ M_PPC64, C64, M_PPC64, C64, BY_MACHINE, EP_NATIVE },
	{ M_PPC64, C64, M_PPC, C32, BY_MACHINE, EP_COMPATIBLE },
	{ M_PPC, C32, M_PPC, C32, BY_MACHINE, EP_NATIVE },
	{ M_MIPS, C64, M_MIPS, C64, BY_CLASS, EP_NATIVE },
	{ M_MIPS, C64, M_MIPS, C32, BY_CLASS, EP_COMPATIBLE }, /* o32 and n32 */
	{ M_MIPS, C32, M_MIPS, C32, BY_CLASS, EP_NATIVE },
	{ M_LOONGARCH, C64, M_LOONGARCH, C64, BY_CLASS, EP_NATIVE },
	{ M_LOONGARCH, C32, M_LOONGARCH, C32, BY_CLASS, EP_NATIVE },
	{ M_SPARCV9, C64, M_SPARCV9, C64, BY_MACHINE, EP_NATIVE },
	{ M_SPARCV9, C64, M_SPARC, C32, BY_MACHINE, EP_COMPATIBLE },
	{ M_SPARCV9, C64, M_SPARC32PLUS, C32, BY_MACHINE, EP_COMPATIBLE },
	{ M_SPARC, C32, M_SPARC, C32, BY_MACHINE, EP_NATIVE },
	{ M_PARISC, C32, M_PARISC, C32, BY_CLASS, EP_NATIVE },
	{ M_PARISC, C32, M_PARISC, C64, BY_CLASS, EP_COMPATIBLE },
	{ M_ALPHA, C64, M_ALPHA, C64, BY_MACHINE, EP_NATIVE },
	{ M_IA_64, C64, M_IA_64, C64, BY_MACHINE, EP_NATIVE },
	{ M_68K, C32, M_68K, C32, BY_MACHINE, EP_NATIVE },
	{ M_SH, C32, M_SH, C32, BY_MACHINE, EP_NATIVE },
	{ M_ARC_COMPACT2, C32, M_ARC_COMPACT, C32, BY_MACHINE, EP_NATIVE },
	{ M_ARC_COMPACT2, C32, M_ARC_COMPACT2, C32, BY_MACHINE, EP_NATIVE },
	{ M_XTENSA, C32, M_XTENSA, C32, BY_MACHINE, EP_NATIVE },
	{ M_MICROBLAZE, C32, M_MICROBLAZE, C32, BY_MACHINE, EP_NATIVE },
	{ M_MICROBLAZE, C32, M_MICROBLAZE_OLD, C32, BY_MACHINE, EP_NATIVE },
	{ M_NIOS2, C32, M_NIOS2, C32, BY_MACHINE, EP_NATIVE },
	{ M_OPENRISC, C32, M_OPENRISC, C32, BY_MACHINE, EP_NATIVE },
	{ M_CSKY, C32, M_CSKY, C32, BY_MACHINE, EP_NATIVE },
	{ M_HEXAGON, C32, M_HEXAGON, C32, BY_MACHINE, EP_NATIVE },
};

static const struct abi *find_abi(const struct ep_machine *host, unsigned machine, unsigned elf_class)
{
	for (size_t i = 0; i < COUNT(abis); i++) {
		const struct abi *abi = &abis[i];

		if (abi->host != host->machine || !fits(host->elf_class, abi->host_class))
			continue;
		if (abi->machine == machine && (abi->rule == BY_MACHINE || abi->elf_class == elf_class))
			return abi;
	}
	return NULL;
}

unsigned ep_class_for_kernel(unsigned machine, unsigned elf_class)
{
	const struct abi *abi = find_abi(ep_host_machine(), machine, elf_class);

	return abi ? abi->elf_class : 0;
}

/* For an unknown kernel, assume that it can run anything. */
enum ep_support ep_support(const struct errpipe_link *link)
{
	const struct ep_machine *host = ep_host_machine();
	const struct abi *abi;

	if (!host->machine)
		return EP_NATIVE;
	abi = link->elf_data == OWN_ORDER ? find_abi(host, link->machine, link->elf_class) : NULL;
	return abi ? abi->support : EP_FOREIGN;
}

bool ep_is_x32(const struct errpipe_link *link)
{
	return link->machine == M_X86_64 && link->elf_class == C32;
}
