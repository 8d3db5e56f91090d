/* SPDX-License-Identifier: MIT */
/* random.c - see random.h. */

#include "common/random.h"

#include "common/bug.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

void
random_fill(void *out, size_t len)
{
	ssize_t n = getrandom(out, len, 0);
	int fd;

	if (n == (ssize_t)len)
		return;
	fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	if (fd == -1 || read(fd, out, len) != (ssize_t)len)
		BUG("no random bytes to be had");
	close(fd);
}
