/* SPDX-License-Identifier: MIT */
/* paths.c - see paths.h. */

#include "broker/host/paths.h"

#include "broker/host/datadir.h"
#include "common/bug.h"
#include "common/log.h"
#include "common/xmalloc.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *paths_format(const char *fmt, ...) LOG_FMT(1);

/* A string as printf(3) would print it.  Owns: the caller. */
static char *
paths_format(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		BUG("out of memory");
	va_end(ap);
	return text;
}

/* Cut off the last n components of a path. */
static char *
paths_parent(char *path, int n)
{
	for (; n > 0; n--) {
		char *slash = strrchr(path, '/');

		if (slash == NULL || slash == path)
			break;
		*slash = '\0';
	}
	return path;
}

static bool
paths_is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *
paths_program(void)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len <= 0)
		return xstrdup("/proc/self/exe");
	path[len] = '\0';
	return xstrdup(path);
}

/* A path below a directory, if that is a directory too; NULL: it is not. */
static char *
paths_find(const char *directory, const char *below)
{
	char *found = paths_format("%s/%s", directory, below);

	if (paths_is_directory(found))
		return found;
	free(found);
	return NULL;
}

char *
paths_default_root(void)
{
	char *directory = paths_program();
	char *found;

	paths_parent(directory, 1);
	found = paths_find(directory, "public");
	paths_parent(directory, 1);
	if (found == NULL)
		found = paths_find(directory, "public");
	if (found == NULL)
		found = paths_find(directory, "share/pubsubd/public");
	free(directory);
	return found != NULL ? found : paths_format("%s/public", datadir);
}

/* Whether this directory is ours and nobody else can write there. */
static bool
paths_is_private(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
	       st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

char *
paths_default_pidfile(const char *name)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (geteuid() == 0)
		return paths_format("/run/pubsubd/%s.pid", name);
	if (runtime != NULL && runtime[0] == '/' && paths_is_private(runtime))
		return paths_format("%s/pubsubd/%s.pid", runtime, name);
	return paths_format(
	    "/tmp/pubsubd-%u/%s.pid", (unsigned)geteuid(), name);
}

char *
paths_default_log(const char *name)
{
	const char *home = getenv("HOME");
	const struct passwd *user;

	if (geteuid() == 0)
		return paths_format("/var/log/pubsubd/%s.log", name);
	if (home == NULL || home[0] != '/') {
		user = getpwuid(geteuid());
		home = user != NULL ? user->pw_dir : "/";
	}
	return paths_format("%s/.local/state/pubsubd/%s.log", home, name);
}

char *
paths_absolute(const char *path)
{
	char here[PATH_MAX];

	if (path[0] == '/' || getcwd(here, sizeof(here)) == NULL)
		return xstrdup(path);
	return paths_format("%s/%s", here, path);
}

/* Make a directory and those above it. */
static bool
paths_mkdir(char *path, mode_t mode)
{
	char *slash = strrchr(path, '/');

	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return true;
	if (errno != ENOENT || slash == NULL || slash == path)
		return false;
	*slash = '\0';
	if (!paths_mkdir(path, mode))
		return false;
	*slash = '/';
	return mkdir(path, mode) == 0 || errno == EEXIST;
}

bool
paths_make_directory(const char *file, char error[PATHS_ERROR_MAX])
{
	char *path = paths_parent(xstrdup(file), 1);
	bool ok = true;

	if (!paths_mkdir(path, geteuid() == 0 ? 0755 : 0700)) {
		snprintf(error, PATHS_ERROR_MAX, "cannot make directory %s: %s",
		    path, strerror(errno));
		ok = false;
	} else if (!paths_is_private(path)) {
		snprintf(error, PATHS_ERROR_MAX,
		    "directory %s is not this user's own, or others can write "
		    "there",
		    path);
		ok = false;
	}
	free(path);
	return ok;
}

bool
paths_check_directory(const char *path, char error[PATHS_ERROR_MAX])
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		errno = ENOTDIR;
	else if (access(path, R_OK | X_OK) == 0)
		return true;
	snprintf(error, PATHS_ERROR_MAX, "%s: %s", path, strerror(errno));
	return false;
}
