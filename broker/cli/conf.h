/* SPDX-License-Identifier: MIT */
/*
 * conf.h - the text of a configuration file, line by line.
 *
 *	# a comment
 *	key = value
 *	[kind "argument"]
 *
 * Every line stands for itself: none is joined with another, and none is cut.
 * Blanks at both ends of a line and around the first '=' mean nothing; all other
 * bytes of a value are the value, a '#' too.  What is no such line is a fault
 * with its reason.  This knows no option and opens nothing.
 */

#ifndef BROKER_CLI_CONF_H
#define BROKER_CLI_CONF_H

#include <stddef.h>

#define CONF_LINE_MAX 4096u          /* bytes of a line, without its end */
#define CONF_TEXT_MAX (1024u * 1024) /* bytes of a file */

enum conf_kind {
	CONF_END = 0, /* there is no further line */
	CONF_SETTING, /* key, value */
	CONF_SECTION, /* key, the kind; value, the argument, or NULL */
	CONF_FAULT,   /* fault */
};

/* A text that is being read. */
struct conf {
	char *rest;
	char *end;
	unsigned line; /* number of the line that was read last, from 1 */
};

struct conf_line {
	unsigned number;
	const char *key;   /* [a-z0-9-]+ */
	const char *value; /* UTF-8 without control characters, but tabs */
	const char *fault; /* a constant string */
};

/* Begin with a text of len bytes, behind which there is room for a NUL.
 * Borrows: the text, which reading changes; lines point into it. */
void conf_init(struct conf *conf, char *text, size_t len);

/* Read on to the next line that says something. */
enum conf_kind conf_next(struct conf *conf, struct conf_line *line);

#endif
