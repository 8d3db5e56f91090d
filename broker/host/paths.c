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

/* Whether a file can be made below this path, once its missing directories
 * are. */
static bool
paths_is_writable(const char *directory)
{
	char *path = xstrdup(directory);
	bool writable;

	while (access(path, F_OK) == -1 && errno == ENOENT &&
	       strcmp(path, "/") != 0) {
		char *slash = strrchr(path, '/');

		slash[slash == path] = '\0';
	}
	writable = access(path, W_OK | X_OK) == 0;
	free(path);
	return writable;
}

/* A user's directory for files that have to last: XDG's base directory for
 * state. */
static char *
paths_user_state(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	const struct passwd *user;

	if (state != NULL && state[0] == '/')
		return paths_format("%s/pubsubd", state);
	if (home == NULL || home[0] != '/') {
		user = getpwuid(geteuid());
		home = user != NULL ? user->pw_dir : "/";
	}
	return paths_format(
	    "%s/.local/state/pubsubd", strcmp(home, "/") == 0 ? "" : home);
}

/* Where lock and log are.  The second choice is for a host whose first one can
 * only be read, and for a user without a home. */
static char *
paths_state(void)
{
	char *state =
	    geteuid() == 0 ? xstrdup("/var/log/pubsubd") : paths_user_state();

	if (paths_is_writable(state))
		return state;
	free(state);
	return geteuid() == 0
	           ? xstrdup("/run/pubsubd")
	           : paths_format("/tmp/pubsubd-%u", (unsigned)geteuid());
}

/* A file of an instance there. */
static char *
paths_state_file(const char *name, const char *suffix)
{
	char *state = paths_state();
	char *file = paths_format("%s/%s.%s", state, name, suffix);

	free(state);
	return file;
}

char *
paths_lockfile(const char *name)
{
	return paths_state_file(name, "lock");
}

char *
paths_default_log(const char *name)
{
	return paths_state_file(name, "log");
}

char *
paths_default_pidfile(const char *name)
{
	if (geteuid() == 0)
		return paths_format("/run/pubsubd/%s.pid", name);
	return paths_state_file(name, "pid");
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
