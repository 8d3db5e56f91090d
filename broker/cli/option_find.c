/* SPDX-License-Identifier: MIT */
/* option_find.c - see option_find.h. */

#include "broker/cli/option_find.h"

#include "broker/cli/option_table.h"
#include "broker/cli/suggest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Say what is wrong with a word, and suggest the likely one, with hyphens in
 * front, or where to look.  Returns false. */
static bool __attribute__((format(printf, 4, 5)))
cli_mistake(char error[CLI_ERROR_MAX], const struct suggestion *suggestion,
    const char *hyphens, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(error, CLI_ERROR_MAX, format, args);
	va_end(args);
	if (n < 0 || n >= CLI_ERROR_MAX)
		return false;
	if (suggestion->best != NULL)
		snprintf(error + n, CLI_ERROR_MAX - (size_t)n,
		    "; did you mean %s%s?", hyphens, suggestion->best);
	else
		snprintf(error + n, CLI_ERROR_MAX - (size_t)n,
		    "; try 'pubsubd help'");
	return false;
}

/* Whether a word means this command: its name; --version, -V, --help or -h as
 * other programs have them. */
static bool
cli_is_command(const char *word, size_t command)
{
	const char *name = cli_commands[command].name;

	if (strcmp(word, name) == 0)
		return true;
	if (command == CLI_VERSION && strcmp(word, "-V") == 0)
		return true;
	if (command == CLI_HELP && strcmp(word, "-h") == 0)
		return true;
	return command >= CLI_VERSION && strncmp(word, "--", 2) == 0 &&
	       strcmp(word + 2, name) == 0;
}

bool
cli_find_command(
    enum cli_command *command, const char *name, char error[CLI_ERROR_MAX])
{
	struct suggestion suggestion = { 0 };

	if (name == NULL) {
		snprintf(error, CLI_ERROR_MAX,
		    "a command is missing; try 'pubsubd help'");
		return false;
	}
	suggestion.word = name + strspn(name, "-");
	for (size_t i = 0; i < cli_command_count; i++) {
		if (cli_is_command(name, i)) {
			*command = (enum cli_command)i;
			return true;
		}
		suggestion_try(&suggestion, cli_commands[i].name);
	}
	return cli_mistake(error, &suggestion, "",
	    name[0] == '-' ? "%s: comes behind a command"
			   : "%s: no such command",
	    name);
}

/* Whether arg names the option: --NAME, maybe with =VALUE, or -LETTER, maybe
 * with its VALUE. */
static bool
cli_names(const char *arg, const struct option *option)
{
	size_t len = strlen(option->name);

	if (arg[1] != '-')
		return option->letter != '\0' && arg[1] == option->letter &&
		       (arg[2] == '\0' || option->arg != NULL);
	return strncmp(arg + 2, option->name, len) == 0 &&
	       (arg[2 + len] == '\0' || arg[2 + len] == '=');
}

static bool
cli_knows(enum cli_command command, const struct option *option)
{
	return (option->commands & 1u << command) != 0;
}

/* The command's option of this name that comes closest. */
static struct suggestion
cli_suggest_option(enum cli_command command, const char *name)
{
	struct suggestion suggestion = { .word = name };

	for (size_t i = 0; i < cli_option_count; i++)
		if (cli_knows(command, &cli_options[i]))
			suggestion_try(&suggestion, cli_options[i].name);
	return suggestion;
}

/* No option of the command is what arg says: say what it may be. */
static void
cli_no_option(enum cli_command command, const char *arg, bool is_of_another,
    char error[CLI_ERROR_MAX])
{
	const struct suggestion none = { .word = arg };
	struct suggestion suggestion;
	char name[CLI_ERROR_MAX - 64];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg, "="), arg);
	if (is_of_another) {
		snprintf(error, CLI_ERROR_MAX, "%s: not an option of '%s'",
		    name, cli_commands[command].name);
	} else if (arg[1] != '-') {
		cli_mistake(error, &none, "", "%s: not an option", arg);
	} else {
		suggestion = cli_suggest_option(command, name + 2);
		cli_mistake(
		    error, &suggestion, "--", "%s: no such option", name);
	}
}

const struct option *
cli_find_option(
    enum cli_command command, const char *arg, char error[CLI_ERROR_MAX])
{
	bool is_of_another = false;

	for (size_t i = 0; i < cli_option_count; i++) {
		const struct option *option = &cli_options[i];

		if (!cli_names(arg, option))
			continue;
		if (cli_knows(command, option))
			return option;
		is_of_another = true;
	}
	cli_no_option(command, arg, is_of_another, error);
	return NULL;
}

const struct option *
cli_find_setting(const char *name, char error[CLI_ERROR_MAX])
{
	struct suggestion suggestion = { .word = name };

	for (size_t i = 0; i < cli_option_count; i++) {
		const struct option *option = &cli_options[i];

		if (!cli_knows(CLI_RUN, option))
			continue;
		if (strcmp(option->name, name) != 0) {
			if (!option->not_in_file)
				suggestion_try(&suggestion, option->name);
			continue;
		}
		if (!option->not_in_file)
			return option;
		snprintf(error, CLI_ERROR_MAX,
		    "%s: belongs on the command line, where it says which "
		    "server and file are meant",
		    name);
		return NULL;
	}
	if (suggestion.best != NULL)
		snprintf(error, CLI_ERROR_MAX,
		    "%.200s: no such option; did you mean %s?", name,
		    suggestion.best);
	else
		snprintf(error, CLI_ERROR_MAX, "%.200s: no such option", name);
	return NULL;
}

bool
cli_no_words(
    enum cli_command command, const char *word, char error[CLI_ERROR_MAX])
{
	struct suggestion suggestion = cli_suggest_option(command, word);

	return cli_mistake(error, &suggestion, "--",
	    "%s: '%s' takes nothing but options", word,
	    cli_commands[command].name);
}
