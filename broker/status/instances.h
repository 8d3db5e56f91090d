/* SPDX-License-Identifier: MIT */
/*
 * instances.h - the servers of this host, whoever runs them.
 *
 * Each has its segment under /dev/shm, so a look there finds all of them.  Of
 * another user's one only its name and its owner can be seen, except by root.
 */

#ifndef BROKER_STATUS_INSTANCES_H
#define BROKER_STATUS_INSTANCES_H

#include "broker/shared/segment.h"
#include "common/config.h"

#include <dirent.h>
#include <stdbool.h>
#include <sys/types.h>

struct instance {
	char name[CONFIG_NAME_MAX + 1];
	uid_t owner;
	/* A server of it lives, or a worker that a killed one left; another
	 * user's counts as living. */
	bool is_alive;
	struct segment seg; /* read-only; header NULL: cannot be read */
};

/* A walk over them. */
struct instances {
	DIR *directory; /* NULL: there is none, so there are none */
};

/*
 * Begin a walk, go on, and end it.  instances_next() fills in the next one and
 * takes back what it gave before; false: there is none left.  The order is the
 * directory's.
 *
 * Whether a server lives is seen by the claim on its segment (segment_claim()),
 * which is tried, so that a start at that very moment may have to wait for an
 * instant.
 * Owns: the caller, until instances_close().
 */
void instances_open(struct instances *all, struct instance *one);
bool instances_next(struct instances *all, struct instance *one);
void instances_close(struct instances *all, struct instance *one);

/* Find the instance of this name, which is one.  Returns false if there is
 * none.  Owns: the caller, until instance_release(). */
bool instance_find(struct instance *one, const char *name);
void instance_release(struct instance *one);

/* Whether it has a listener, the public ones or the operator's, that leaves no
 * room for this one: the same, or on all addresses of the same port. */
bool instance_listens(
    const struct instance *one, const struct config_address *address);

/*
 * Write the name of an instance, not the one called `but', that listens so
 * (instance_listens()).  Returns false if there is none that can be seen.
 */
bool instances_who_listens(const struct config_address *address,
    const char *but, char name[CONFIG_NAME_MAX + 1]);

/* The name of a user, or the number where there is none.  Returns out. */
#define INSTANCE_USER_MAX 64 /* bytes */
const char *instance_user(uid_t uid, char out[INSTANCE_USER_MAX]);

#endif
