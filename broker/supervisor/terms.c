/* SPDX-License-Identifier: MIT */
/* terms.c - see terms.h, and args.h. */

#include "broker/supervisor/terms.h"

#include "broker/shared/segment.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The number of what workers say to each other, in which no part may differ. */
#define TERMS_PROTOCOL 1

/* The number of what the nursery, the supervisor and the workers of a move say to
 * each other. */
#define TERMS_MOVES "move 1"

#define TERMS_SEPARATOR ", "

/* Terms that a segment of its own does not help with, by how they begin: the
 * sockets, one for each worker, stay; and a host becomes no other cluster's. */
static const char *const terms_fixed[] = { "handover ", "--workers ",
	"--cluster" };

void
supervisor_terms(const struct config *config, char terms[SUPERVISOR_TERMS_MAX])
{
	snprintf(terms, SUPERVISOR_TERMS_MAX,
	    "handover %d, layout %" PRIx64
	    ", --workers %u, --ring-size %" PRIu64 ", --max-topics %" PRIu32
	    ", --max-members %" PRIu32 ", --retain-size %" PRIu64
	    ", --dedup-keys %" PRIu32 ", --max-message %" PRIu32
	    "%s\n" TERMS_MOVES,
	    TERMS_PROTOCOL, segment_fingerprint(), config->workers,
	    config->ring_size, config->max_topics, config->max_members,
	    config->retain_size, config->dedup_keys, config->max_message,
	    config->cluster_count > 0 ? ", --cluster" : "");
}

/* A term, and what is left of its line. */
struct terms_line {
	const char *at;
	size_t len; /* of the term */
};

static bool
terms_next(struct terms_line *line)
{
	line->at += line->len;
	line->at += strspn(line->at, TERMS_SEPARATOR);
	line->len = strcspn(line->at, ",\n");
	return line->len > 0;
}

/* Bytes of a term's name: all but its value. */
static size_t
terms_name_len(const struct terms_line *term)
{
	size_t len = 0;

	while (len < term->len && term->at[len] != ' ')
		len++;
	return len;
}

/* The term of that name among others.  Returns false if there is none. */
static bool
terms_find(
    const char *all, const struct terms_line *name, struct terms_line *found)
{
	size_t len = terms_name_len(name);

	*found = (struct terms_line){ .at = all };
	while (terms_next(found))
		if (terms_name_len(found) == len &&
		    memcmp(found->at, name->at, len) == 0)
			return true;
	return false;
}

static bool
terms_is_fixed(const struct terms_line *term)
{
	for (size_t i = 0; i < sizeof(terms_fixed) / sizeof(terms_fixed[0]);
	     i++)
		if (strncmp(term->at, terms_fixed[i], strlen(terms_fixed[i])) ==
		    0)
			return true;
	return false;
}

/* Append "X (here Y)". */
static void
terms_put(char why[SUPERVISOR_WHY_MAX], const struct terms_line *theirs,
    const struct terms_line *ours)
{
	size_t len = strlen(why);

	snprintf(why + len, SUPERVISOR_WHY_MAX - len, "%s%.*s%s%.*s%s",
	    len > 0 ? ", " : "", (int)theirs->len, theirs->at,
	    ours != NULL ? " (here " : "", ours != NULL ? (int)ours->len : 0,
	    ours != NULL ? ours->at : "", ours != NULL ? ")" : "");
}

/* Append what one has and the other has not, or has otherwise.  Returns whether a
 * fixed one is among that. */
static bool
terms_put_other(
    const char *all, const char *others, char why[SUPERVISOR_WHY_MAX])
{
	struct terms_line term = { .at = all }, other;
	bool is_fixed = false;

	while (terms_next(&term)) {
		bool is_there = terms_find(others, &term, &other);

		if (is_there && other.len == term.len &&
		    memcmp(other.at, term.at, term.len) == 0)
			continue;
		is_fixed |= terms_is_fixed(&term);
		terms_put(why, &term, is_there ? &other : NULL);
	}
	return is_fixed;
}

/* Whether we have a term that they do not have. */
static bool
terms_lack(const char *theirs, const char *ours, char why[SUPERVISOR_WHY_MAX])
{
	struct terms_line term = { .at = ours }, other;
	bool is_fixed = false;

	while (terms_next(&term))
		if (!terms_find(theirs, &term, &other)) {
			is_fixed |= terms_is_fixed(&term);
			terms_put(why,
			    &(struct terms_line){ .at = "no", .len = 2 },
			    &term);
		}
	return is_fixed;
}

static const char *
terms_second_line(const char *said)
{
	const char *end = strchr(said, '\n');

	return end != NULL ? end + 1 : "";
}

enum terms
supervisor_compare_terms(
    const struct config *config, const char *said, char why[SUPERVISOR_WHY_MAX])
{
	char ours[SUPERVISOR_TERMS_MAX];
	const char *moves = terms_second_line(said);
	bool is_fixed;

	supervisor_terms(config, ours);
	why[0] = '\0';
	is_fixed = terms_put_other(said, ours, why);
	is_fixed |= terms_lack(said, ours, why);
	if (why[0] == '\0')
		return TERMS_SAME;
	/* A host of a cluster would have another past in another ring. */
	return !is_fixed && config->cluster_count == 0 &&
	               strcspn(moves, "\n") == strlen(TERMS_MOVES) &&
	               strncmp(moves, TERMS_MOVES, strlen(TERMS_MOVES)) == 0
	           ? TERMS_MOVE
	           : TERMS_OTHER;
}
