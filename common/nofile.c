/* SPDX-License-Identifier: MIT */
/* nofile.c - see nofile.h. */

#include "common/nofile.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_getrlimit
/* What the kernel's own call fills in. */
struct nofile_words {
	unsigned long soft, hard;
};

static unsigned long
nofile_ask(void)
{
	struct nofile_words limit;

	return syscall(SYS_getrlimit, RLIMIT_NOFILE, &limit) == 0
	           ? limit.soft
	           : NOFILE_UNKNOWN;
}
#else
static unsigned long
nofile_ask(void)
{
	return NOFILE_UNKNOWN;
}
#endif

uint32_t
nofile_limit(void)
{
	struct rlimit limit;
	rlim_t soft;

	soft = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur
	                                             : nofile_ask();
	return soft < UINT32_MAX ? (uint32_t)soft : UINT32_MAX;
}
