/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <unistd.h>

#include "dmz/record.h"
#include "internal.h"

int errpipe_read(int fd, struct errpipe_report *report)
{
	/* One byte more than a record, to notice a second record after the first. */
	unsigned char bytes[DMZ_RECORD_SIZE + 1];
	ssize_t n;
	int ret;

	if (!report)
		return -EFAULT;
	do
		n = read(fd, bytes, sizeof(bytes));
	while (n < 0 && errno == EINTR);

	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
	if (n == 0) {
		*report = (struct errpipe_report){ .verdict = ERRPIPE_STARTED, .status = -1 };
		return 1;
	}
	ret = errpipe_decode(bytes, n, report);
	return ret < 0 ? ret : 1;
}
