/* SPDX-License-Identifier: MIT */
/*
 * fuzz_conf.c - the text of a configuration file.
 *
 * Each line that is no blank and no comment gives one thing, in the order of the
 * lines; what it gives lies in the text and is as conf.h says.  A setting that
 * is written again as `key = value' is read as the same.
 */

#include "broker/cli/conf.h"
#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

static void
check_key(const char *key)
{
	CHECK(key[0] != '\0');
	CHECK(
	    key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0');
}

static void
check_value(const char *value)
{
	CHECK(strlen(value) <= CONF_LINE_MAX);
	CHECK(utf8_valid(value, strlen(value)));
	for (; *value != '\0'; value++)
		CHECK((unsigned char)*value >= 0x20 || *value == '\t');
}

static void
check_again(const struct conf_line *line)
{
	struct conf_line again;
	struct conf conf;
	char *text;

	CHECK(asprintf(&text, "%s=%s", line->key, line->value) != -1);
	conf_init(&conf, text, strlen(text));
	CHECK(conf_next(&conf, &again) == CONF_SETTING);
	CHECK(strcmp(again.key, line->key) == 0);
	CHECK(strcmp(again.value, line->value) == 0);
	CHECK(conf_next(&conf, &again) == CONF_END);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmalloc(size + 1);
	struct conf_line line;
	enum conf_kind kind;
	unsigned before = 0;
	struct conf conf;

	if (size > 0)
		memcpy(text, data, size);
	conf_init(&conf, text, size);
	while ((kind = conf_next(&conf, &line)) != CONF_END) {
		CHECK(line.number > before);
		before = line.number;
		CHECK((kind == CONF_FAULT) == (line.fault != NULL));
		if (kind == CONF_FAULT)
			continue;
		check_key(line.key);
		if (line.value != NULL)
			check_value(line.value);
		if (kind == CONF_SETTING) {
			CHECK(line.value != NULL && line.value[0] != '\0');
			check_again(&line);
		}
	}
	free(text);
	return 0;
}
