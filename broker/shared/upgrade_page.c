/* SPDX-License-Identifier: MIT */
/* upgrade_page.c - see upgrade_page.h. */

#include "broker/shared/upgrade_page.h"

#include "broker/shared/segment_of.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct upgrade_page *
upgrade_page_map(int fd, bool writable)
{
	struct upgrade_page *page;
	struct stat st;

	if (fstat(fd, &st) == -1 || st.st_size < (off_t)UPGRADE_PAGE_SIZE)
		return NULL;
	page = mmap(NULL, UPGRADE_PAGE_SIZE,
	    writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return NULL;
	if (page->magic == UPGRADE_PAGE_MAGIC)
		return page;
	upgrade_page_close(page);
	return NULL;
}

struct upgrade_page *
upgrade_page_open(int *fd)
{
	static const uint64_t magic = UPGRADE_PAGE_MAGIC;
	struct upgrade_page *page = NULL;

	*fd = memfd_create(SEGMENT_PAGE_NAME, MFD_CLOEXEC);
	if (*fd == -1)
		return NULL;
	if (ftruncate(*fd, UPGRADE_PAGE_SIZE) == 0 &&
	    pwrite(*fd, &magic, sizeof(magic), 0) == (ssize_t)sizeof(magic))
		page = upgrade_page_map(*fd, true);
	if (page == NULL) {
		close(*fd);
		*fd = -1;
	}
	return page;
}

void
upgrade_page_close(struct upgrade_page *page)
{
	if (page != NULL)
		munmap(page, UPGRADE_PAGE_SIZE);
}

int
upgrade_page_open_of(pid_t supervisor)
{
	return segment_open_page_of(supervisor);
}

void
upgrade_page_tell(struct upgrade_page *page, bool done, const char *why)
{
	if (page == NULL)
		return;
	snprintf(page->why, sizeof(page->why), "%s", why);
	atomic_fetch_add_explicit(
	    done ? &page->done : &page->refused, 1, memory_order_release);
}

void
move_begin(struct upgrade_page *page, uint32_t workers, uint64_t now_ms)
{
	atomic_store(&page->quiet, 0);
	atomic_store(&page->floor, 0);
	page->began_ms = now_ms;
	page->closed = 0;
	page->workers = workers;
	for (uint32_t i = 0; i < UPGRADE_PAGE_WORKERS; i++)
		atomic_store(&page->pid[i], 0);
	memset(page->words, 0, sizeof(page->words));
	atomic_store(
	    &page->move, (move_number(page) + 1) << 8 | (uint64_t)MOVE_OPEN);
}
