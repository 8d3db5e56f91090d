/* SPDX-License-Identifier: MIT */
/* suite.c - see suite.h. */

#include "tests/support/suite.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 3 /* of a line: program, pattern, why */

/* Stands where a test was that cannot run here; its state is the reason. */
static void
suite_skipped(void **state)
{
	skip_because((const char *)*state);
}

/* Replace the tests whose names match, by ones that say why.  Returns how many
 * there are. */
static size_t
suite_replace(struct CMUnitTest *tests, size_t count, const char *pattern,
    const char *why)
{
	size_t replaced = 0;

	for (size_t i = 0; i < count; i++) {
		if (fnmatch(pattern, tests[i].name, 0) != 0)
			continue;
		tests[i].test_func = suite_skipped;
		tests[i].setup_func = NULL;
		tests[i].teardown_func = NULL;
		tests[i].initial_state = strdup(why);
		replaced++;
	}
	return replaced;
}

/* Whether a path ends with this name, of a directory and a file. */
static bool
suite_is(const char *path, const char *name)
{
	size_t len = strlen(path), name_len = strlen(name);

	return len > name_len && path[len - name_len - 1] == '/' &&
	       strcmp(path + len - name_len, name) == 0;
}

void
suite_leave_out(struct CMUnitTest *tests, size_t count, const char *program)
{
	const char *path = getenv("SUITE_SKIPS");
	char *line = NULL, *rest, *field[FIELDS];
	size_t size = 0;
	FILE *file;

	if (path == NULL)
		return;
	file = fopen(path, "re");
	if (file == NULL)
		err(1, "%s", path);
	while (getline(&line, &size, file) != -1) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		rest = line;
		for (int i = 0; i < FIELDS; i++) {
			field[i] = strsep(&rest, i < FIELDS - 1 ? "\t" : "\n");
			if (field[i] == NULL || field[i][0] == '\0')
				errx(1, "%s: not three fields: %s", path, line);
		}
		if (suite_is(program, field[0]) &&
		    suite_replace(tests, count, field[1], field[2]) == 0)
			errx(1, "%s: no test of %s is named %s", path, field[0],
			    field[1]);
	}
	free(line);
	fclose(file);
}
