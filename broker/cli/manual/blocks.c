/* SPDX-License-Identifier: MIT */
/* blocks.c - the blocks by their names, and that of the page; see blocks.h. */

#include "broker/cli/manual/blocks.h"
#include "broker/cli/manual/details.h"
#include "broker/cli/option_change.h"

#include <string.h>

/* Print what stands in a cell of a Markdown table. */
static void
table_put(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text, out);
	}
}

void
manual_print_options_table(FILE *out)
{
	fputs("| option | default | changed by | |\n"
	      "| --- | --- | --- | --- |\n",
	    out);
	for (size_t i = 0; i < cli_option_count; i++) {
		const struct option *option = &cli_options[i];
		const char *initial =
		    option->initial != NULL ? option->initial : option->words;

		if ((option->commands & 1u << CLI_RUN) == 0)
			continue;
		fprintf(out, "| `--%s", option->name);
		if (option->arg != NULL)
			fputc(' ', out);
		table_put(out, option->arg != NULL ? option->arg : "");
		fputs("` | ", out);
		table_put(out, initial != NULL ? initial : "");
		fprintf(out, " | %s | ", option_change_word(option->change));
		table_put(out, detail_of_option(option));
		fputs(" |\n", out);
	}
}

static void
manual_print_version(FILE *out)
{
	fprintf(out, "pubsubd %s\n", PUBSUBD_VERSION);
}

bool
manual_print(const char *name, FILE *out)
{
	static const struct {
		const char *name;
		void (*print)(FILE *out);
	} blocks[] = {
		{ "options-table", manual_print_options_table },
		{ "commands", manual_print_commands },
		{ "server-options", manual_print_server_options },
		{ "other-options", manual_print_other_options },
		{ "settings", manual_print_settings },
		{ "topic-settings", manual_print_topic_settings },
		{ "version", manual_print_version },
		{ "completion-commands", manual_print_completion_commands },
		{ "completion-options", manual_print_completion_options },
		{ "completion-values", manual_print_completion_values },
		{ "completion-words", manual_print_completion_words },
	};

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		if (strcmp(blocks[i].name, name) != 0)
			continue;
		blocks[i].print(out);
		return true;
	}
	return false;
}
