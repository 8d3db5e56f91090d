/* SPDX-License-Identifier: MIT */
/*
 * openat2.c - openat2(2) for programs under a valgrind that has none.
 *
 * Preloaded, it stands before the C library's syscall(): openat2(2), which
 * valgrind before 3.22 answers with ENOSYS, becomes openat(2), without the
 * promise to stay beneath a directory.  So it is for counting and for looking
 * after memory, never for serving.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SYSCALL_ARGUMENTS 6

long
syscall(long number, ...)
{
	static long (*next)(long, ...);
	long arg[SYSCALL_ARGUMENTS];
	va_list ap;

	va_start(ap, number);
	for (int i = 0; i < SYSCALL_ARGUMENTS; i++)
		arg[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_openat2) {
		const struct open_how *how = (const struct open_how *)arg[2];

		return openat((int)arg[0], (const char *)arg[1],
		    (int)how->flags, (mode_t)how->mode);
	}
	/* POSIX has an object pointer stand for a function here. */
	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	return next(number, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}
