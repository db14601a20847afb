/* SPDX-License-Identifier: MIT */
/*
 * The actions: system calls that the stub makes between its own exec and the target's. The library appends them to the stub's
 * image, with the data that they point to.
 *
 * The address of the first is in the image itself: in p_paddr of the program header PT_GNU_STACK, which no loader reads. It is
 * 0 if there are no actions. A symbol would need a table of addresses on some machines, and with it a writable segment.
 *
 * The actions are the end of the image, after their data. If the image is truncated, DMZ_LAST is lost, and zeros follow up
 * to the end of the page. The stub then stops, because it must not skip a part of the setup.
 *
 * The image is linked at a fixed address. Pointers in the actions and in their data therefore need no relocation.
 */
#ifndef DMZ_ACTION_H
#define DMZ_ACTION_H

#define DMZ_BASE 0x400000ul /* where dmz.lds links the image */
#define DMZ_LAST 1	    /* ends the actions; as the number of a step it is DMZ_STEP_FCNTL, which no action has */

struct dmz_action {
	unsigned short step;  /* for the record if the call fails; or DMZ_LAST */
	unsigned short flags; /* enum dmz_action_flag */
	unsigned int number;  /* the number of the system call on this machine */
	long arg[6];
};

enum dmz_action_flag {
	DMZ_USE_RESULT = 1,    /* the first argument is the result of the previous action */
	DMZ_IGNORE_FAILURE = 2 /* go on if the call fails */
};

#endif
