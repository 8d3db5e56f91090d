/* SPDX-License-Identifier: MIT */
/*
 * stop_at.c - arm the places of broker/shared/stop_point.h in a running server.
 *
 *	stop-at NAME PLACE WHO [PLACE WHO]...
 *
 * NAME is the instance, WHO a worker's slot, "supervisor" or "anybody".  Says
 * "armed" as soon as the first place is; then the pid of who has come to stand
 * there, once the kernel says that it stands and the next place is armed.  Ends
 * with the last one, or after STOP_AT_SECONDS.
 */

#include "broker/shared/segment.h"
#include "broker/shared/stop_point.h"
#include "broker/shared/upgrade_page.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STOP_AT_SECONDS 60

static uint32_t
who_is(const char *word)
{
	if (strcmp(word, "anybody") == 0)
		return STOP_ANYBODY;
	if (strcmp(word, "supervisor") == 0)
		return STOP_SUPERVISOR;
	return STOP_WORKER((uint32_t)atoi(word));
}

/* Whether a process is stopped: its state follows its name, in parentheses. */
static bool
is_stopped(int pid)
{
	char path[32], line[512], *end;
	FILE *file;
	bool is;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	is = fgets(line, sizeof(line), file) != NULL &&
	     (end = strrchr(line, ')')) != NULL && end[2] == 'T';
	fclose(file);
	return is;
}

/* Where a place is armed, and where who stands there signs. */
struct words {
	struct layout_header *header;
	/* Of processes whose segment nobody can find yet; NULL: there is no page.
	 * An upgrade that begins takes over what is armed in the segment. */
	struct upgrade_page *page;
};

static struct words
find_words(struct layout_header *header)
{
	struct words words = { .header = header };
	int fd = upgrade_page_open_of(atomic_load(&header->run.supervisor));
	char path[32];

	if (fd == -1)
		return words;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd != -1)
		words.page = upgrade_page_map(fd, true);
	return words;
}

static void
arm(const struct words *words, char **place_and_who)
{
	uint32_t at = STOP_AT(
	    stop_point_named(place_and_who[0]), who_is(place_and_who[1]));

	atomic_store(&words->header->stopped, 0);
	atomic_store(&words->header->stop_point_arm, at);
	if (words->page == NULL)
		return;
	atomic_store(&words->page->stopped, 0);
	atomic_store(&words->page->stop_point_arm, at);
}

/* Wait until somebody stands at the armed place.  Returns its pid. */
static int
await(const struct words *words)
{
	const struct timespec little = { .tv_nsec = 1000 * 1000 };
	int pid = 0;

	while (!is_stopped(pid)) {
		nanosleep(&little, NULL);
		pid = atomic_load(&words->header->stopped);
		if (pid == 0 && words->page != NULL)
			pid = atomic_load(&words->page->stopped);
	}
	return pid;
}

/* Whether there are pairs of a place and a word. */
static bool
are_places(int argc, char **argv)
{
	for (int i = 2; i < argc; i += 2)
		if (stop_point_named(argv[i]) == STOP_NOWHERE)
			return false;
	return argc >= 4 && argc % 2 == 0;
}

int
main(int argc, char **argv)
{
	char error[SEGMENT_ERROR_MAX];
	struct segment seg;
	struct words words;

	if (!are_places(argc, argv)) {
		fprintf(stderr, "usage: stop-at NAME PLACE WHO...\n");
		return 2;
	}
	if (segment_attach(&seg, argv[1], true, error) != SEGMENT_OK) {
		fprintf(stderr, "stop-at: %s\n", error);
		return 1;
	}
	alarm(STOP_AT_SECONDS);
	setvbuf(stdout, NULL, _IOLBF, 0);
	words = find_words(seg.header);
	arm(&words, argv + 2);
	puts("armed");
	for (int i = 4; i <= argc; i += 2) {
		int pid = await(&words);

		if (i < argc)
			arm(&words, argv + i);
		printf("%d\n", pid);
	}
	return 0;
}
