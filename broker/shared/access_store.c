/* SPDX-License-Identifier: MIT */
/* access_store.c - see access_store.h. */

#include "broker/shared/access_store.h"

#include "broker/shared/shared_memory.h"
#include "broker/shared/version.h"
#include "common/bug.h"

#include <string.h>
#include <sys/mman.h>

struct access_store {
	_Atomic uint32_t version;
	uint32_t count;
	struct {
		uint32_t kind, len;
	} text[ACCESS_TEXTS_MAX];
	/* One text behind another.  The memory that is not written is not
	 * there. */
	char bytes[ACCESS_TEXTS_BYTES];
};

struct access_store *
access_store_open(int fd)
{
	return shared_memory_map(fd, sizeof(struct access_store));
}

void
access_store_close(struct access_store *store)
{
	if (store != NULL)
		munmap(store, sizeof(*store));
}

void
access_store_protect(struct access_store *store)
{
	if (store != NULL)
		CHECK(mprotect(store, sizeof(*store), PROT_READ) == 0);
}

void
access_store_put(struct access_store *store, const struct access_texts *texts)
{
	char *at = store->bytes;

	CHECK(texts->bytes <= sizeof(store->bytes));
	version_begin(&store->version);
	/* A key that is gone is not to be found here any more. */
	for (uint32_t i = 0; i < store->count; i++) {
		explicit_bzero(at, store->text[i].len);
		at += store->text[i].len;
	}
	at = store->bytes;
	store->count = (uint32_t)texts->count;
	for (size_t i = 0; i < texts->count; i++) {
		store->text[i].kind = texts->text[i].kind;
		store->text[i].len = (uint32_t)texts->text[i].len;
		memcpy(at, texts->text[i].at, texts->text[i].len);
		at += texts->text[i].len;
	}
	version_end(&store->version);
}

uint32_t
access_store_version(const struct access_store *store)
{
	return version_look(&store->version);
}

bool
access_store_get(const struct access_store *store, struct access_texts *texts,
    uint32_t *version)
{
	uint32_t count, len;
	const char *at = store->bytes;

	memset(texts, 0, sizeof(*texts));
	*version = version_look(&store->version);
	count = store->count;
	for (uint32_t i = 0; i < count && i < ACCESS_TEXTS_MAX; i++) {
		len = store->text[i].len;
		if (!access_texts_add(texts, store->text[i].kind, at, len))
			break;
		at += len;
	}
	if (texts->count == count &&
	    version_is_still(&store->version, *version))
		return true;
	access_texts_wipe(texts);
	return false;
}
