/* SPDX-License-Identifier: MIT */
/* For errpipe/lib/setup.c without errpipe/lib/stub.c: a stub is a file with its bytes, which need not be sealed to be read. */
#include "lib/internal.h"

const unsigned char ep_stub_bytes[] = {
#include "stub_image.h"
};
const size_t ep_stub_size = sizeof(ep_stub_bytes);

static int make_stub(const void *bytes, size_t size)
{
	int fd = syscall(__NR_memfd_create, "stub", 0);

	return fd >= 0 && write(fd, bytes, size) == (ssize_t)size ? fd : -1;
}

int errpipe_stub(void)
{
	return make_stub(ep_stub_bytes, ep_stub_size);
}

int ep_setup_stub(const struct ep_image *image)
{
	return make_stub(image->bytes, image->size);
}
