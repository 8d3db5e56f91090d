/* SPDX-License-Identifier: MIT */
/* option.h - one option of the command line, as data. */

#ifndef BROKER_CLI_OPTION_H
#define BROKER_CLI_OPTION_H

#include "broker/cli/cli.h"
#include "broker/cli/option_values.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What it takes to have a server go on with another value. */
enum option_change {
	OPTION_UPGRADE = 0, /* of which all but those below are capable */
	OPTION_RELOAD,
	OPTION_RESTART,
	OPTION_START, /* stop and start */
};

struct option {
	const char *name;    /* without the hyphens */
	char letter;         /* its short form, -LETTER; or 0 */
	const char *arg;     /* what stands for its value; NULL: it has none */
	const char *initial; /* its default, parsed like a value; or NULL */
	const char *words;   /* the default in words, where it is worked out */
	const char *help;
	unsigned commands; /* that know it: a bit per enum cli_command */
	/* Put the value where it belongs, or say why not. */
	bool (*set)(struct cli *cli, const struct option *option,
	    const char *value, char why[VALUES_WHY_MAX]);
	bool path; /* the value is a path: relative ones are made absolute */
	size_t at; /* of the member in struct cli, if the setter asks for it */
	uint64_t min, max; /* of a number; max: of the texts of a list */
	bool repeats;      /* each value is one more, up to some number: */
	size_t count_at;   /* of the size_t in struct cli that counts them */
	bool not_in_file;
	enum option_change change;
};

/* The member that an option sets. */
static inline void *
cli_member(struct cli *cli, const struct option *option)
{
	return (char *)cli + option->at;
}

#endif
