/* SPDX-License-Identifier: MIT */
/*
 * wall_clock.c - a wall clock that a test can set, for LD_PRELOAD.
 *
 * WALL_CLOCK names a file of eight bytes: the seconds, as a number of this
 * machine, by which the clock of all processes that have it differs from the
 * system's.  It is mapped before main(), so a process that may open no files has
 * it as well.  The other clocks are left alone, as settimeofday(2) leaves them.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *wall_clock_offset;
static int (*wall_clock_next)(clockid_t which, struct timespec *now);

__attribute__((constructor)) static void
wall_clock_open(void)
{
	const char *path = getenv("WALL_CLOCK");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = MAP_FAILED;

	if (fd != -1)
		map = mmap(NULL, sizeof(*wall_clock_offset), PROT_READ,
		    MAP_SHARED, fd, 0);
	if (fd != -1)
		close(fd);
	if (map != MAP_FAILED)
		wall_clock_offset = map;
}

int
clock_gettime(clockid_t which, struct timespec *now)
{
	int result;

	if (wall_clock_next == NULL)
		wall_clock_next = (int (*)(clockid_t, struct timespec *))dlsym(
		    RTLD_NEXT, "clock_gettime");
	result = wall_clock_next(which, now);
	if (result == 0 && wall_clock_offset != NULL &&
	    (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
		now->tv_sec += *wall_clock_offset;
	return result;
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec fine;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &fine);
	now->tv_sec = fine.tv_sec;
	now->tv_usec = fine.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec fine;

	clock_gettime(CLOCK_REALTIME, &fine);
	if (out != NULL)
		*out = fine.tv_sec;
	return fine.tv_sec;
}
