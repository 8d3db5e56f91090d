/* SPDX-License-Identifier: MIT */
/* centrifuge_data.h - a message as a part of one line. */

#ifndef WORKER_PROTOCOL_CENTRIFUGE_DATA_H
#define WORKER_PROTOCOL_CENTRIFUGE_DATA_H

#include <stddef.h>
#include <string.h>

/*
 * Copy a message, which is checked JSON.  Centrifuge's clients split what they
 * receive into lines; in a message a line can end only between two tokens, where
 * a blank means as much.
 * Returns: where the copy ends.
 */
static inline char *
centrifuge_copy(char *at, const char *data, size_t len)
{
	char *end = at + len;

	memcpy(at, data, len);
	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL)
		*at = ' ';
	return end;
}

#endif
