/* SPDX-License-Identifier: MIT */
/* instances.c - see instances.h. */

#include "broker/status/instances.h"

#include "common/address.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define INSTANCES_DIRECTORY "/dev/shm"
#define INSTANCES_FILE      "pubsubd."
#define INSTANCES_PREFIX    INSTANCES_DIRECTORY "/" INSTANCES_FILE

/* As --name allows them. */
#define INSTANCES_NAME_CHARS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* Whether a server, or a worker that it left, has the claim on the segment. */
static bool
instance_is_claimed(int fd)
{
	if (flock(fd, LOCK_SH | LOCK_NB) == -1)
		return errno == EWOULDBLOCK;
	flock(fd, LOCK_UN);
	return false;
}

static void
instance_forget(struct instance *one)
{
	segment_close(&one->seg);
	memset(one, 0, sizeof(*one));
}

bool
instance_find(struct instance *one, const char *name)
{
	char path[sizeof(INSTANCES_PREFIX) + CONFIG_NAME_MAX];
	char error[SEGMENT_ERROR_MAX];
	struct stat st;
	int fd;

	memset(one, 0, sizeof(*one));
	snprintf(path, sizeof(path), INSTANCES_PREFIX "%s", name);
	if (lstat(path, &st) == -1 || !S_ISREG(st.st_mode))
		return false;
	snprintf(one->name, sizeof(one->name), "%s", name);
	one->owner = st.st_uid;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	one->is_alive = fd == -1 || instance_is_claimed(fd);
	if (fd != -1)
		close(fd);
	if (segment_attach(&one->seg, name, false, error) != SEGMENT_OK)
		one->seg.header = NULL;
	return true;
}

void
instance_release(struct instance *one)
{
	instance_forget(one);
}

void
instances_open(struct instances *all, struct instance *one)
{
	memset(one, 0, sizeof(*one));
	all->directory = opendir(INSTANCES_DIRECTORY);
}

/* Whether a file may be the segment of an instance.  Anybody can make files
 * there, and their names are printed. */
static bool
instances_is_one(const char *file)
{
	const char *name = file + strlen(INSTANCES_FILE);
	size_t len;

	if (strncmp(file, INSTANCES_FILE, strlen(INSTANCES_FILE)) != 0)
		return false;
	len = strlen(name);
	return len > 0 && len <= CONFIG_NAME_MAX &&
	       strspn(name, INSTANCES_NAME_CHARS) == len;
}

bool
instances_next(struct instances *all, struct instance *one)
{
	const struct dirent *entry;

	instance_forget(one);
	while (
	    all->directory != NULL && (entry = readdir(all->directory)) != NULL)
		if (instances_is_one(entry->d_name) &&
		    instance_find(one, entry->d_name + strlen(INSTANCES_FILE)))
			return true;
	return false;
}

void
instances_close(struct instances *all, struct instance *one)
{
	instance_forget(one);
	if (all->directory != NULL)
		closedir(all->directory);
	all->directory = NULL;
}

/* Whether one of the URLs in text, with spaces between them, overlaps. */
static bool
instance_has_url(const char *text, const struct config_address *address)
{
	static const char scheme[] = "://";
	char url[ADDRESS_TEXT_MAX];
	struct config_address theirs;

	while ((text = strstr(text, scheme)) != NULL) {
		text += strlen(scheme);
		snprintf(
		    url, sizeof(url), "%.*s", (int)strcspn(text, " ,"), text);
		if (address_parse(&theirs, url) == NULL &&
		    address_overlaps(&theirs, address))
			return true;
	}
	return false;
}

bool
instance_listens(
    const struct instance *one, const struct config_address *address)
{
	char urls[sizeof(one->seg.header->run.urls) + 1] = "";
	char admin[sizeof(one->seg.header->run.admin) + 1] = "";

	if (one->seg.header == NULL || !one->is_alive)
		return false;
	memcpy(urls, one->seg.header->run.urls, sizeof(urls) - 1);
	memcpy(admin, one->seg.header->run.admin, sizeof(admin) - 1);
	return instance_has_url(urls, address) ||
	       instance_has_url(admin, address);
}

bool
instances_who_listens(const struct config_address *address, const char *but,
    char name[CONFIG_NAME_MAX + 1])
{
	struct instances all;
	struct instance one;
	bool found = false;

	instances_open(&all, &one);
	while (!found && instances_next(&all, &one))
		if (strcmp(one.name, but) != 0 &&
		    instance_listens(&one, address)) {
			memcpy(name, one.name, sizeof(one.name));
			found = true;
		}
	instances_close(&all, &one);
	return found;
}

const char *
instance_user(uid_t uid, char out[INSTANCE_USER_MAX])
{
	const struct passwd *user = getpwuid(uid);

	if (user != NULL)
		snprintf(out, INSTANCE_USER_MAX, "%s", user->pw_name);
	else
		snprintf(out, INSTANCE_USER_MAX, "%u", (unsigned)uid);
	return out;
}
