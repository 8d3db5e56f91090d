/* SPDX-License-Identifier: MIT */
/* settings_file.c - what the configuration file says; see settings.h. */

#include "broker/cli/conf.h"
#include "broker/cli/option_find.h"
#include "broker/cli/settings.h"
#include "broker/cli/settings_topic.h"
#include "common/bug.h"
#include "common/xmalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Read all of a file; text has room for a NUL more.  Returns NULL, or what was
 * wrong (a constant string, or that of errno). */
static const char *
file_read_all(int fd, char *text, size_t size, size_t *len)
{
	ssize_t n;

	*len = 0;
	while (*len < size && (n = read(fd, text + *len, size - *len)) != 0) {
		if (n == -1)
			return strerror(errno);
		*len += (size_t)n;
	}
	return *len == size ? "has more than 1 MiB" : NULL;
}

/* Open a file, which must be one: a pipe would be waited for. */
static const char *
file_open(const char *path, int *fd)
{
	struct stat st;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd == -1)
		return strerror(errno);
	if (fstat(*fd, &st) == -1)
		return strerror(errno);
	return S_ISREG(st.st_mode) ? NULL : "is not a file";
}

/* Read the file into memory of the cli's.  Returns NULL, having noted the fault
 * if that is one. */
static char *
file_load(struct cli *cli, bool must_be, size_t *len)
{
	const char *wrong;
	char *text = NULL;
	int fd;

	errno = 0;
	wrong = file_open(cli->conf_path, &fd);
	if (wrong == NULL) {
		text = settings_own(cli, xmalloc(CONF_TEXT_MAX + 2));
		wrong = file_read_all(fd, text, CONF_TEXT_MAX + 1, len);
	}
	if (fd != -1)
		close(fd);
	if (fd == -1 && !must_be && (errno == ENOENT || errno == ENOTDIR))
		return NULL;
	if (wrong == NULL)
		return text;
	settings_fault(cli, "%s: %s", cli->conf_path, wrong);
	return NULL;
}

/* The line of the file where this option has its value, or 0. */
static unsigned
file_line_of(const struct cli *cli, const struct option *option)
{
	for (size_t i = 0; i < cli->settings_len; i++)
		if (cli->settings[i].origin == CLI_FILE &&
		    cli->settings[i].option == option)
			return cli->settings[i].line;
	return 0;
}

/* Apply one line, or say what is wrong with it. */
static bool
file_apply(struct cli *cli, const struct conf_line *line, char *why)
{
	struct cli_setting setting = {
		.value = line->value,
		.origin = CLI_FILE,
		.line = line->number,
	};
	char reason[VALUES_WHY_MAX];
	unsigned before;

	setting.option = cli_find_setting(line->key, why);
	if (setting.option == NULL)
		return false;
	before = file_line_of(cli, setting.option);
	if (before != 0 && !setting.option->repeats)
		snprintf(why, CLI_ERROR_MAX, "%s: is in line %u already",
		    line->key, before);
	else if (setting.option->path && line->value[0] != '/')
		snprintf(why, CLI_ERROR_MAX,
		    "%s %.200s: must be an absolute "
		    "path",
		    line->key, line->value);
	else if (!settings_apply(cli, &setting, reason))
		snprintf(why, CLI_ERROR_MAX, "%s %.200s: %s", line->key,
		    line->value, reason);
	else
		return true;
	return false;
}

/* Apply the lines of a text.  Those behind the title of a section belong to
 * that; if the title is faulty, nobody knows what they mean. */
static void
file_apply_text(struct cli *cli, char *text, size_t len)
{
	bool in_section = false, is_known = true;
	char why[CLI_ERROR_MAX];
	struct conf_line line;
	enum conf_kind kind;
	struct conf conf;

	conf_init(&conf, text, len);
	while ((kind = conf_next(&conf, &line)) != CONF_END) {
		const char *fault = line.fault;

		if (kind == CONF_SECTION) {
			in_section = true;
			is_known = settings_begin_section(cli, &line, why);
			fault = is_known ? NULL : why;
		} else if (kind == CONF_SETTING && is_known) {
			fault = (in_section ? settings_apply_in_section(
						  cli, &line, why)
					    : file_apply(cli, &line, why))
			            ? NULL
			            : why;
		}
		if (fault != NULL)
			settings_fault(cli, "%s:%u: %s", cli->conf_path,
			    line.number, fault);
	}
}

void
settings_apply_file(struct cli *cli)
{
	bool must_be = cli->conf_path != NULL;
	char *text, *path;
	size_t len;

	if (!must_be) {
		CHECK(asprintf(&path, "%s/%s.conf", CLI_CONF_DIR,
			  cli->config.name) != -1);
		cli->conf_path = settings_own(cli, path);
	} else if (strcmp(cli->conf_path, CLI_CONF_NONE) == 0) {
		return;
	}
	text = file_load(cli, must_be, &len);
	cli->has_conf = text != NULL;
	if (text != NULL)
		file_apply_text(cli, text, len);
}
