/* SPDX-License-Identifier: MIT */
/*
 * A helper is a process that starts programs in one language. bench drives it over two pipes, so that rows in all languages can
 * take turns, and the start-up of the language does not count.
 *
 *	HELPER MEMORY THREADS DESCRIPTORS ARGUMENTS ENVIRONMENT
 *
 * First it grows: it touches MEMORY MiB, starts THREADS more threads, and opens DESCRIPTORS close-on-exec descriptors. Then it
 * writes "ready". For each line that it reads
 *
 *	ROW COUNT PARALLEL PATH
 *
 * it starts PATH by this row's method and waits for its end, COUNT times in sequence in each of PARALLEL threads. Then it writes
 *
 *	NANOSECONDS ERRNO STATUS
 *
 * NANOSECONDS is the total time. ERRNO is the errno that the helper learnt from the last start, or 0. STATUS is the exit status of
 * the last start, or -1 if unknown. PATH gets ARGUMENTS arguments, and ENVIRONMENT bytes of environment besides the helper's. It
 * inherits the standard streams: the pipes and /dev/null. The working directory is that of HELPER, which has the programs in
 * between.
 */
#ifndef HELPER_H
#define HELPER_H

#define HELPER_ABSENT "absent" /* the answer to an unknown row */

#endif
