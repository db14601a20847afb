/* SPDX-License-Identifier: MIT */
/* Print the machine that runs this program. It needs no libc, so any compiler can build it for any machine. */
#ifdef __mips64
#include "../../dmz/arch-mips64.h"
#endif
#include "nolibc.h"

int main(void)
{
	struct utsname name;

	uname(&name);
	printf("hello from %s\n", name.machine);
	return 0;
}
