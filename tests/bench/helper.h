/* SPDX-License-Identifier: MIT */
/*
 * A helper is a process that starts programs in one language, driven by bench over two pipes. So rows in any
 * language take turns, and their own start-up is not counted.
 *
 *	HELPER MEMORY THREADS DESCRIPTORS ARGUMENTS ENVIRONMENT
 *
 * First it becomes as large as it is told: so many MiB touched, so many threads besides its own, so many descriptors that
 * are close-on-exec. Then it writes "ready". For each line that it reads
 *
 *	ROW COUNT PARALLEL PATH
 *
 * it starts PATH in that row's way and waits for its end, COUNT times one after the other and PARALLEL times at once, and
 * writes a line
 *
 *	NANOSECONDS ERRNO STATUS
 *
 * of the time that all took, the errno that it has learnt from the last, or 0, and that one's exit status, or -1 if it learnt none.
 * PATH is given ARGUMENTS arguments, and an environment of ENVIRONMENT bytes besides that of the helper. Standard
 * streams are inherited: the pipes, and /dev/null. The working directory is that of HELPER, where the programs in between are.
 */
#ifndef HELPER_H
#define HELPER_H

#define HELPER_ABSENT "absent" /* the answer where there is no such row */

#endif
