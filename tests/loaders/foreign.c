/* SPDX-License-Identifier: MIT */
/* A library for a machine that this one is not. It has a relocation, as nearly all have. */
int foreign(void);
int foreign(void)
{
	return 0;
}

int (*const pointer)(void) = foreign;
