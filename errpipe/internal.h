/* SPDX-License-Identifier: MIT */
/* What the files of the library share with each other and with nobody else. */
#ifndef ERRPIPE_INTERNAL_H
#define ERRPIPE_INTERNAL_H

#include "errpipe.h"

/* Room for any int in decimal with its sign and NUL. */
#define ERRPIPE__DECIMAL 12

/* decimal.c: write n into the end of buf; returns where it starts. */
char *errpipe__decimal(char buf[ERRPIPE__DECIMAL], int n);

/* words.c: the number that this host gives to the error that machine numbers raw; 0 if it has none. */
int errpipe__host_errno(unsigned machine, unsigned raw);

/* fail.c: write one record while every signal is blocked. Returns 0 or a negative errno. */
int errpipe__write(int report, unsigned step, unsigned error);

/* settle.c: decide between STARTED, DIED and CLOSED for a child at end of file, without waiting for its end. */
void errpipe__look(pid_t pid, struct errpipe_report *report);

#endif
