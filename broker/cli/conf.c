/* SPDX-License-Identifier: MIT */
/* conf.c - see conf.h. */

#include "broker/cli/conf.h"

#include "common/utf8.h"

#include <stdbool.h>
#include <string.h>

#define CONF_BLANKS " \t"

void
conf_init(struct conf *conf, char *text, size_t len)
{
	conf->rest = text;
	conf->end = text + len;
	conf->line = 0;
}

/* Cut the blanks off at both ends. */
static char *
conf_trim(char *text)
{
	size_t len;

	text += strspn(text, CONF_BLANKS);
	len = strlen(text);
	while (len > 0 && strchr(CONF_BLANKS, text[len - 1]) != NULL)
		len--;
	text[len] = '\0';
	return text;
}

/* Whether all of it are bytes of a key, and there is one. */
static bool
conf_is_key(const char *text)
{
	return text[0] != '\0' &&
	       text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] ==
	           '\0';
}

/* The reason why the bytes of a line are no text, or NULL. */
static const char *
conf_check_bytes(const char *text, size_t len, bool is_first)
{
	if (len > CONF_LINE_MAX)
		return "the line has more than 4096 bytes";
	if (is_first && len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return "the file begins with a byte order mark: remove it";
	if (len > 0 && text[len - 1] == '\r')
		return "the line ends with a carriage return: save the file "
		       "with Unix line ends";
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)text[i] < 0x20 && text[i] != '\t') ||
		    text[i] == 0x7f)
			return "the line has a control character";
	return utf8_valid(text, len) ? NULL : "the line is not UTF-8";
}

static enum conf_kind
conf_fault(struct conf_line *line, const char *fault)
{
	line->fault = fault;
	return CONF_FAULT;
}

/* Read what stands between brackets. */
static enum conf_kind
conf_section(struct conf_line *line, char *text)
{
	static const char shape[] = "must be [KIND \"ARGUMENT\"] or [KIND]";
	size_t len = strlen(text);
	char *quote;

	if (len < 2 || text[len - 1] != ']')
		return conf_fault(line, shape);
	text[len - 1] = '\0';
	text = conf_trim(text + 1);
	quote = strchr(text, '"');
	line->value = NULL;
	if (quote != NULL) {
		char *last = strrchr(text, '"');

		if (last == quote || last[1] != '\0' || quote == text ||
		    strchr(CONF_BLANKS, quote[-1]) == NULL)
			return conf_fault(line, shape);
		*quote = *last = '\0';
		line->value = quote + 1;
	}
	line->key = conf_trim(text);
	return conf_is_key(line->key) ? CONF_SECTION : conf_fault(line, shape);
}

/* Read `key = value'. */
static enum conf_kind
conf_setting(struct conf_line *line, char *text)
{
	char *equals = strchr(text, '=');

	if (equals == NULL)
		return conf_fault(line, "must be OPTION = VALUE");
	*equals = '\0';
	line->key = conf_trim(text);
	line->value = conf_trim(equals + 1);
	if (!conf_is_key(line->key))
		return conf_fault(line,
		    "the name of an option has only small letters, digits and "
		    "hyphens");
	if (line->value[0] == '\0')
		return conf_fault(line, "a value is missing behind the '='");
	return CONF_SETTING;
}

enum conf_kind
conf_next(struct conf *conf, struct conf_line *line)
{
	memset(line, 0, sizeof(*line));
	while (conf->rest < conf->end) {
		size_t left = (size_t)(conf->end - conf->rest);
		char *text = conf->rest;
		char *newline = memchr(text, '\n', left);
		size_t len = newline == NULL ? left : (size_t)(newline - text);

		conf->rest = newline == NULL ? conf->end : newline + 1;
		line->number = ++conf->line;
		line->fault = conf_check_bytes(text, len, conf->line == 1);
		if (line->fault != NULL)
			return CONF_FAULT;
		text[len] = '\0';
		text = conf_trim(text);
		if (text[0] == '[')
			return conf_section(line, text);
		if (text[0] != '\0' && text[0] != '#')
			return conf_setting(line, text);
	}
	return CONF_END;
}
