/* SPDX-License-Identifier: MIT */
/* roff.c - the blocks of the man pages; see blocks.h. */

#include "broker/cli/manual/blocks.h"
#include "broker/cli/manual/details.h"
#include "broker/cli/option_change.h"
#include "broker/cli/topic_table.h"

#include <ctype.h>
#include <string.h>

/* How roff writes the characters that it would take for something else. */
static const char *
roff_escape(char c)
{
	switch (c) {
	case '\\':
		return "\\e";
	case '-':
		return "\\-";
	case '\'':
		return "\\(aq";
	case '^':
		return "\\(ha";
	case '~':
		return "\\(ti";
	default:
		return NULL;
	}
}

void
manual_put_roff(FILE *out, const char *text)
{
	bool is_bold = false;

	/* At the beginning of a line these would make it a request. */
	if (text[0] == '.' || text[0] == '\'')
		fputs("\\&", out);
	for (; *text != '\0'; text++) {
		const char *escaped = roff_escape(*text);

		if (*text == '`') {
			is_bold = !is_bold;
			fputs(is_bold ? "\\fB" : "\\fR", out);
		} else if (escaped != NULL) {
			fputs(escaped, out);
		} else {
			fputc(*text, out);
		}
	}
}

static void
roff_put(FILE *out, const char *before, const char *text, const char *after)
{
	fputs(before, out);
	manual_put_roff(out, text);
	fputs(after, out);
}

/* The line with an option's name: --NAME ARG, or NAME = ARG in a file. */
static void
roff_put_tag(FILE *out, const struct option *option, bool in_file)
{
	fputs(".TP\n", out);
	if (option->letter != '\0')
		fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
	fputs("\\fB", out);
	roff_put(out, in_file ? "" : "\\-\\-", option->name, "\\fR");
	if (option->arg != NULL)
		roff_put(
		    out, in_file ? " = \\fI" : " \\fI", option->arg, "\\fR");
	else if (in_file)
		fputs(" = \\fI0|1\\fR", out);
	fputs("\n", out);
}

/* What an option does, with a capital letter and a full stop. */
static void
roff_put_sentence(FILE *out, const char *text)
{
	char first[2] = { (char)toupper((unsigned char)text[0]), '\0' };

	manual_put_roff(out, first);
	roff_put(out, "", text + 1, ".\n");
}

static void
roff_put_default(FILE *out, const struct option *option)
{
	const char *text =
	    option->initial != NULL ? option->initial : option->words;

	if (text != NULL)
		roff_put(out, ".br\nDefault: ", text, ".\n");
}

static void
roff_put_server_option(FILE *out, const struct option *option, bool in_file)
{
	roff_put_tag(out, option, in_file);
	roff_put_sentence(out, detail_of_option(option));
	roff_put_default(out, option);
	if (option->initial == NULL && option->words == NULL)
		fputs(".br\n", out);
	roff_put(
	    out, "Changed by: ", option_change_word(option->change), ".\n");
}

void
manual_print_server_options(FILE *out)
{
	for (size_t i = 0; i < cli_option_count; i++)
		if ((cli_options[i].commands & 1u << CLI_RUN) != 0)
			roff_put_server_option(out, &cli_options[i], false);
}

void
manual_print_settings(FILE *out)
{
	for (size_t i = 0; i < cli_option_count; i++)
		if ((cli_options[i].commands & 1u << CLI_RUN) != 0 &&
		    !cli_options[i].not_in_file)
			roff_put_server_option(out, &cli_options[i], true);
}

void
manual_print_topic_settings(FILE *out)
{
	for (size_t i = 0; i < POLICY_KEYS; i++) {
		const struct topic_setting *setting = &topic_settings[i];

		roff_put(out, ".TP\n\\fB", setting->name, "\\fR");
		roff_put(out, " = \\fI", setting->arg, "\\fR\n");
		roff_put_sentence(out, setting->help);
		roff_put(out, ".br\nDefault: ", setting->initial, ".\n");
	}
}

/* Which commands know an option. */
static void
roff_put_commands(FILE *out, const struct option *option)
{
	const char *before = ".br\nOf ";

	for (size_t i = 0; i < cli_command_count; i++) {
		if ((option->commands & 1u << i) == 0)
			continue;
		fprintf(out, "%s\\fB%s\\fR", before, cli_commands[i].name);
		before = ", ";
	}
	fputs(".\n", out);
}

void
manual_print_other_options(FILE *out)
{
	for (size_t i = 0; i < cli_option_count; i++) {
		const struct option *option = &cli_options[i];

		if ((option->commands & 1u << CLI_RUN) != 0)
			continue;
		roff_put_tag(out, option, false);
		roff_put_sentence(out, option->help);
		roff_put_commands(out, option);
		roff_put_default(out, option);
	}
}

/* The names of a command's options; those of a server are told elsewhere. */
static void
roff_put_command_options(FILE *out, size_t command)
{
	const char *before = ".br\nOptions: ";

	if ((CLI_CONFIGURED & 1u << command) != 0) {
		fputs(".br\nOptions: all those of a server.\n", out);
		return;
	}
	for (size_t i = 0; i < cli_option_count; i++) {
		if ((cli_options[i].commands & 1u << command) == 0)
			continue;
		fputs(before, out);
		roff_put(out, "\\fB\\-\\-", cli_options[i].name, "\\fR");
		before = ", ";
	}
	if (before[0] == ',')
		fputs(".\n", out);
}

/* Each line of a text by itself, as it is. */
static void
roff_put_lines(FILE *out, const char *text)
{
	fputs(".PP\n.RS 14\n.nf\n", out);
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		char line[160];

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		roff_put(out, "", line + strspn(line, " "), "\n");
		text += len + (text[len] == '\n');
	}
	fputs(".fi\n.RE\n", out);
}

void
manual_print_commands(FILE *out)
{
	for (size_t i = 0; i < cli_command_count; i++) {
		const struct command *command = &cli_commands[i];

		roff_put(out, ".TP\n\\fB", command->name, "\\fR");
		if (command->words != NULL)
			roff_put(out, " \\fI", command->words, "\\fR");
		roff_put(out, "\n", detail_of_command(command), "\n");
		roff_put_command_options(out, i);
		if (command->examples != NULL)
			roff_put_lines(out, command->examples);
	}
}
