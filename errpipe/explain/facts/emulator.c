/* SPDX-License-Identifier: MIT */
/* Which machines qemu-user emulates. */
#define _GNU_SOURCE
#include <stdio.h>
#include <unistd.h>

#include "explain/facts/facts.h"

/* e_machine of what qemu-user, and Debian's qemu-user-static, emulate. */
static bool qemu_has(unsigned machine)
{
	static const unsigned short machines[] = {
		2,	/* sparc */
		3,	/* i386 */
		4,	/* m68k */
		8,	/* mips */
		15,	/* hppa */
		18,	/* sparc32plus */
		20,	/* ppc */
		21,	/* ppc64 */
		22,	/* s390x */
		40,	/* arm */
		42,	/* sh4 */
		43,	/* sparc64 */
		62,	/* x86_64 */
		92,	/* or1k */
		94,	/* xtensa */
		164,	/* hexagon */
		183,	/* aarch64 */
		189,	/* microblaze */
		243,	/* riscv */
		258,	/* loongarch */
		0x9026, /* alpha */
	};

	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		if (machines[i] == machine)
			return true;
	}
	return false;
}

enum ep_emulator ep_find_emulator(const struct ep_machine *machine, struct ep_emulator_path *path)
{
	if (!qemu_has(machine->machine))
		return EP_NO_EMULATOR;
	snprintf(path->text, sizeof(path->text), "/usr/bin/qemu-%s-static", machine->name);
	return access(path->text, X_OK) == 0 ? EP_INSTALLED : EP_IN_PACKAGE;
}
