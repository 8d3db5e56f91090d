/* SPDX-License-Identifier: MIT */
/* bridge_args.c - see bridge_args.h. */

#include "broker/cluster/bridge_args.h"

#include "common/buf.h"
#include "common/xmalloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 16 servers, and 2 for each of the rest: 60. */
#define BRIDGE_ARGS_MAX 72u

/* Add one argument, with its NUL. */
static void
bridge_add(struct buf *text, const char *arg)
{
	buf_add(text, arg, strlen(arg) + 1);
}

static void
bridge_add_option(struct buf *text, const char *option, const char *value)
{
	if (value == NULL)
		return;
	bridge_add(text, option);
	bridge_add(text, value);
}

static void
bridge_add_number(struct buf *text, const char *option, uint64_t value)
{
	bridge_add(text, option);
	buf_number(text, value);
	buf_add(text, "", 1);
}

static void
bridge_add_serve(struct buf *text, const struct config *config,
    const struct bridge_serve *serve)
{
	bridge_add_option(text, "--name", config->name);
	bridge_add_number(text, "--segment", (uint64_t)serve->segment);
	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++) {
		char aside[32];

		if (serve->asides[i] == -1)
			continue;
		snprintf(aside, sizeof(aside), "%u:%d", i, serve->asides[i]);
		bridge_add_option(text, "--aside", aside);
	}
	bridge_add_number(text, "--life", (uint64_t)serve->life);
	bridge_add_number(text, "--max-message", config->max_message);
	bridge_add_number(text, "--log-level", (uint64_t)config->log_level);
	bridge_add(text, "--doorbells");
	for (unsigned i = 0; i <= serve->workers; i++) {
		buf_puts(text, i > 0 ? "," : "");
		buf_number(text, (uint64_t)serve->doorbells[i]);
	}
	buf_add(text, "", 1);
}

/* The texts as an array in front of them. */
static char **
bridge_list(const struct buf *text)
{
	size_t room = BRIDGE_ARGS_MAX * sizeof(char *), count = 0;
	char **argv = xmalloc(room + text->len);
	char *at = (char *)argv + room, *end = at + text->len;

	memcpy(at, text->at, text->len);
	while (at < end && count < BRIDGE_ARGS_MAX - 1) {
		argv[count++] = at;
		at += strlen(at) + 1;
	}
	argv[count] = NULL;
	return argv;
}

char **
bridge_argv(const char *program, const char *word, const struct config *config,
    const struct bridge_serve *serve)
{
	struct buf text;
	char **argv;

	buf_init(&text);
	bridge_add(&text, program);
	bridge_add(&text, word);
	for (size_t i = 0; i < config->cluster_count; i++)
		bridge_add_option(&text, "--cluster", config->cluster[i]);
	bridge_add_option(&text, "--cluster-name", config->cluster_name);
	bridge_add_option(&text, "--cluster-creds", config->cluster_creds);
	bridge_add_option(&text, "--cluster-tls-ca", config->cluster_tls_ca);
	if (serve != NULL)
		bridge_add_serve(&text, config, serve);
	argv = bridge_list(&text);
	buf_fini(&text);
	return argv;
}
