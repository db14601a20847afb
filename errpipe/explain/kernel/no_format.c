/* SPDX-License-Identifier: MIT */
/* ENOEXEC: no handler of search_binary_handler() in the kernel's fs/exec.c takes the file. */
#define _GNU_SOURCE
#include "explain/kernel/kernel.h"

static enum errpipe_cause cause_of(enum errpipe_format format)
{
	switch (format) {
	case ERRPIPE_FORMAT_EMPTY:
		return ERRPIPE_CAUSE_EMPTY_FILE;
	case ERRPIPE_FORMAT_TEXT:
		return ERRPIPE_CAUSE_NO_INTERPRETER_LINE;
	case ERRPIPE_FORMAT_BYTE_ORDER_MARK:
		return ERRPIPE_CAUSE_BYTE_ORDER_MARK;
	case ERRPIPE_FORMAT_UTF_16:
		return ERRPIPE_CAUSE_UTF_16;
	case ERRPIPE_FORMAT_PE:
		return ERRPIPE_CAUSE_WINDOWS_PROGRAM;
	case ERRPIPE_FORMAT_MACH_O:
		return ERRPIPE_CAUSE_MACOS_PROGRAM;
	case ERRPIPE_FORMAT_JAVA_CLASS:
		return ERRPIPE_CAUSE_JAVA_CLASS;
	case ERRPIPE_FORMAT_WEBASSEMBLY:
		return ERRPIPE_CAUSE_WEBASSEMBLY;
	case ERRPIPE_FORMAT_GZIP:
	case ERRPIPE_FORMAT_XZ:
	case ERRPIPE_FORMAT_ZSTD:
	case ERRPIPE_FORMAT_BZIP2:
	case ERRPIPE_FORMAT_LZ4:
	case ERRPIPE_FORMAT_7Z:
	case ERRPIPE_FORMAT_RAR:
	case ERRPIPE_FORMAT_CPIO:
	case ERRPIPE_FORMAT_CAB:
	case ERRPIPE_FORMAT_ZIP:
	case ERRPIPE_FORMAT_AR:
	case ERRPIPE_FORMAT_TAR:
		return ERRPIPE_CAUSE_ARCHIVE;
	default:
		return ERRPIPE_CAUSE_UNKNOWN_FORMAT;
	}
}

int ep_no_format(struct ep_check *c, const struct errpipe_link *link)
{
	return ep_finding_set(c, link, (struct ep_finding){ .cause = cause_of(link->format), .error = ENOEXEC });
}
