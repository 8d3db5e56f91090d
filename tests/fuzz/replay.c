/* SPDX-License-Identifier: MIT */
/*
 * replay.c - feed a fuzz target the inputs of its corpus, without libFuzzer.
 *
 *	build/testing/fuzz/fuzz_json			all of corpus/json
 *	build/testing/fuzz/fuzz_json FILE ...		these alone
 *
 * Each input is tried in a child of its own, so that one that aborts, crashes
 * or hangs is a failed test with the input's name and the rest goes on.  What
 * happened is told as TAP, which scripts/run-tests.sh counts.
 */

#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPLAY_INPUT_MAX (1u << 20) /* bytes; those of a corpus are small */
#define REPLAY_SECONDS   60         /* for one input, with sanitizers */

/* Try the input in this file, and leave. */
static _Noreturn void
replay_here(const char *path)
{
	uint8_t *room = xmalloc(REPLAY_INPUT_MAX);
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t size;

	alarm(REPLAY_SECONDS);
	if (file == NULL) {
		perror(path);
		_exit(1);
	}
	size = fread(room, 1, REPLAY_INPUT_MAX, file);
	data = (uint8_t *)fuzz_copy(room, size);
	free(room);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	_exit(0);
}

/* Try an input in a child.  Returns whether all was well. */
static bool
replay_passes(const char *path)
{
	int status = -1;
	pid_t pid = fork();

	CHECK(pid != -1);
	if (pid == 0)
		replay_here(path);
	while (waitpid(pid, &status, 0) == -1)
		CHECK(errno == EINTR);
	return status == 0;
}

static int
replay_is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The files of a directory, by name.  Returns how many.
 * Owns: the caller, replay_forget(). */
static int
replay_list(const char *directory, char ***paths)
{
	struct dirent **entries;
	int n = scandir(directory, &entries, replay_is_input, alphasort);

	if (n == -1) {
		perror(directory);
		exit(1);
	}
	*paths = xcalloc((size_t)n + 1, sizeof(**paths));
	for (int i = 0; i < n; i++) {
		CHECK(asprintf(&(*paths)[i], "%s/%s", directory,
			  entries[i]->d_name) != -1);
		free(entries[i]);
	}
	free(entries);
	return n;
}

static void
replay_forget(char **paths, int n)
{
	for (int i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
}

/* The corpus that belongs to this program, whose name is fuzz_TARGET. */
static int
replay_corpus(const char *program, char ***paths)
{
	const char *slash = strrchr(program, '/');
	const char *name = slash != NULL ? slash + 1 : program;
	char *directory;
	int n;

	CHECK(strncmp(name, "fuzz_", 5) == 0);
	CHECK(asprintf(&directory, "tests/fuzz/corpus/%s", name + 5) != -1);
	n = replay_list(directory, paths);
	free(directory);
	return n;
}

int
main(int argc, char **argv)
{
	char **paths = argv + 1;
	int n = argc > 1 ? argc - 1 : replay_corpus(argv[0], &paths);
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		bool passes = replay_passes(paths[i]);

		failed += !passes;
		printf("%sok %d - %s\n", passes ? "" : "not ", i + 1, paths[i]);
	}
	if (argc == 1)
		replay_forget(paths, n);
	return failed > 0;
}
