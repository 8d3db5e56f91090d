/* SPDX-License-Identifier: MIT */
/* shared_memory.c - see shared_memory.h. */

#include "broker/shared/shared_memory.h"

#include <sys/mman.h>
#include <unistd.h>

void *
shared_memory_map(int fd, size_t size)
{
	int anonymous = fd == -1 ? MAP_ANONYMOUS : 0;
	void *memory;

	if (fd != -1 && ftruncate(fd, (off_t)size) == -1)
		return NULL;
	memory = mmap(
	    NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | anonymous, fd, 0);
	if (memory == MAP_FAILED)
		return NULL;
	return memory;
}
