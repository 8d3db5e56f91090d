/* SPDX-License-Identifier: MIT */
/*
 * blocks.h - the parts of broker/cli/README.md, the man pages and the completion
 * that are printed from the tables of commands and options.
 *
 * scripts/manual.sh puts each where a text has its name between two '@'.
 */

#ifndef BROKER_CLI_MANUAL_BLOCKS_H
#define BROKER_CLI_MANUAL_BLOCKS_H

#include <stdbool.h>
#include <stdio.h>

/* Print a block.  Returns false if there is none of that name. */
bool manual_print(const char *block, FILE *out);

/*
 * The blocks:
 *	options-table	the options of a server, as a Markdown table
 *	commands	(roff) the commands, with what they take and examples
 *	server-options	(roff) the options of a server
 *	other-options	(roff) those that only other commands have
 *	settings	(roff) the options that a file can say
 *	topic-settings	(roff) what a section of it can say of topics
 *	version		(roff) the name of the program and its version
 *	completion-commands, completion-options, completion-values,
 *	completion-words
 *			(bash) what scripts/completion.bash.in completes
 */
void manual_print_options_table(FILE *out);
void manual_print_commands(FILE *out);
void manual_print_server_options(FILE *out);
void manual_print_other_options(FILE *out);
void manual_print_settings(FILE *out);
void manual_print_topic_settings(FILE *out);
void manual_print_completion_commands(FILE *out);
void manual_print_completion_options(FILE *out);
void manual_print_completion_values(FILE *out);
void manual_print_completion_words(FILE *out);

/* Print text in roff: each character as it is, and what stands between
 * backticks in bold. */
void manual_put_roff(FILE *out, const char *text);

#endif
