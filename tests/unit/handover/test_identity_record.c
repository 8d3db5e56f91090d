/* SPDX-License-Identifier: MIT */
/* test_identity_record.c - what worker/handover/identity_record.h and
 * worker/access/known.h promise. */

#include "broker/shared/access_store.h"
#include "tests/support/suite.h"
#include "tests/support/token_keys.h"
#include "tests/support/token_maker.h"
#include "tests/unit/support/out.h"
#include "worker/handover/fields.h"
#include "worker/handover/identity_record.h"

#include <stdlib.h>
#include <string.h>

#define NOW UINT64_C(1700000000)
#define KEY "a key of a program"

/* One process, and the one that goes on. */
struct scene {
	struct access_store *store;
	_Atomic uint64_t counters[STATS_COUNT];
	struct stats stats;
	struct access before, after;
};

static void
put(struct access_texts *texts, enum access_kind kind, const char *text)
{
	assert_true(access_texts_add(texts, kind, text, strlen(text)));
}

/* Let these rules hold; key_grant: what KEY grants, NULL: it is none. */
static void
publish(struct scene *s, const char *key_grant, const char *grant)
{
	struct access_texts texts = { 0 };
	uint8_t digest[SHA256_LEN];
	char line[256] = "#";
	size_t len = 0;

	sha256(KEY, strlen(KEY), digest);
	if (key_grant != NULL) {
		len = (size_t)snprintf(line, sizeof(line), "program ");
		for (size_t i = 0; i < SHA256_LEN; i++)
			len += (size_t)snprintf(
			    line + len, sizeof(line) - len, "%02x", digest[i]);
		snprintf(line + len, sizeof(line) - len, " %s", key_grant);
	}
	put(&texts, ACCESS_JWT_KEY, KEY_HMAC);
	put(&texts, ACCESS_API_KEYS, line);
	put(&texts, ACCESS_GRANT, grant);
	put(&texts, ACCESS_AUTH_TIMEOUT, "10000");
	access_store_put(s->store, &texts);
	access_texts_wipe(&texts);
}

static int
setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->store = access_store_open(-1);
	s->stats.counters = s->counters;
	publish(s, "publish:a", "publish:by/{sub}");
	*state = s;
	return out_setup(state) ||
	       !access_open(&s->before, s->store, &s->stats) ||
	       !access_open(&s->after, s->store, &s->stats);
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	access_close(&s->before);
	access_close(&s->after);
	access_store_close(s->store);
	free(s);
	return out_teardown(state);
}

/* The number of who shows this, before. */
static uint32_t
show(struct scene *s, const char *credential)
{
	const char *why;
	uint32_t number;

	assert_int_equal(access_verify(&s->before, credential,
			     strlen(credential), NOW, &number, &why),
	    ACCESS_GOOD);
	return number;
}

static uint32_t
show_token(struct scene *s, const char *claims)
{
	char token[TOKEN_ROOM];

	token_sign("HS256", "{\"alg\":\"HS256\"}", claims, token);
	return show(s, token);
}

static const char anna[] =
    "{\"exp\":1700001000,\"sub\":\"anna\",\"info\":{\"age\":7},\"pubsubd\":{"
    "\"subscribe\":[\"room/+\",\"caf\\u00e9\"],\"history\":[\"#\"]}}";

/* Have it come over.  Returns whether it did. */
static bool
adopt_out(struct scene *s)
{
	struct access_known known;

	return identity_record_read(&known, out.at, out.len) &&
	       access_adopt(&s->after, &known);
}

static void
move(struct scene *s, uint32_t number)
{
	buf_reset(&out);
	assert_true(identity_record_put(
	    &out, identities_of(&s->before.identities, number)));
	assert_true(adopt_out(s));
	access_hold(&s->after, number);
}

static bool
allows(struct scene *s, uint32_t number, unsigned kinds, const char *topic)
{
	return access_allows(&s->after, number, kinds, topic, strlen(topic));
}

static void
test_token_comes_over_with_all_that_it_says(void **state)
{
	struct scene *s = *state;
	const struct identity *identity;
	uint32_t number;

	show_token(s, "{\"exp\":1700001000,\"sub\":\"another\"}");
	number = show_token(s, anna);
	move(s, number);
	identity = identities_of(&s->after.identities, number);
	assert_int_equal(identity->sub_len, 4);
	assert_memory_equal(identity->sub, "anna", 4);
	assert_int_equal(identity->expires_s, 1700001000);
	assert_int_equal(identity->until_s,
	    identities_of(&s->before.identities, number)->until_s);
	assert_false(identity->is_key || identity->is_guest);
	assert_int_equal(identity->info_len, 9);
	assert_memory_equal(identity->info, "{\"age\":7}", 9);
	assert_int_equal(identity->alg, JWK_HS256);
	assert_memory_equal(identity->key,
	    s->before.rules->keys.keys[0]->thumbprint, SHA256_LEN);
	assert_true(allows(s, number, GRANT_SUBSCRIBE, "room/1"));
	assert_true(allows(s, number, GRANT_SUBSCRIBE, "caf\xc3\xa9"));
	assert_true(allows(s, number, GRANT_HISTORY, "x"));
	assert_true(allows(s, number, GRANT_PUBLISH, "by/anna"));
	assert_false(allows(s, number, GRANT_PUBLISH, "room/1"));
	assert_false(allows(s, number, GRANT_SUBSCRIBE, "x"));
	access_release(&s->after, number);
}

static void
test_token_without_name_and_grants_comes_over(void **state)
{
	struct scene *s = *state;
	uint32_t number = show_token(s, "{\"exp\":1700001000}");

	move(s, number);
	assert_false(allows(s, number, GRANT_SUBSCRIBE, "room/1"));
	access_release(&s->after, number);
}

static void
test_rules_are_those_of_who_goes_on(void **state)
{
	struct scene *s = *state;
	uint32_t user = show_token(s, anna), key = show(s, KEY);

	publish(s, "publish:b", "presence:by/{sub}");
	assert_true(access_renew(&s->after));
	move(s, user);
	move(s, key);
	assert_true(allows(s, user, GRANT_PRESENCE, "by/anna"));
	assert_false(allows(s, user, GRANT_PUBLISH, "by/anna"));
	assert_true(allows(s, key, GRANT_PUBLISH, "b"));
	assert_false(allows(s, key, GRANT_PUBLISH, "a"));
	assert_true(
	    identities_of(&s->after.identities, key)->until_s == UINT64_MAX);
}

static void
test_who_came_by_a_key_that_is_gone_is_let_go(void **state)
{
	struct scene *s = *state;
	uint32_t key = show(s, KEY);

	publish(s, NULL, "publish:by/{sub}");
	assert_true(access_renew(&s->after));
	move(s, key);
	assert_int_equal(identities_of(&s->after.identities, key)->until_s, 0);
	assert_true(identities_are_due(&s->after.identities, NOW));
}

static void
test_guest_comes_over(void **state)
{
	struct scene *s = *state;
	uint32_t guest = access_guest(&s->before, NOW);

	move(s, guest);
	assert_true(identities_of(&s->after.identities, guest)->is_guest);
	identities_looked(&s->after.identities, NOW);
	assert_false(identities_are_due(&s->after.identities, NOW + 10));
	assert_true(identities_are_due(&s->after.identities, NOW + 11));
}

static void
test_credential_is_asked_for_again(void **state)
{
	struct scene *s = *state;
	uint32_t key = show(s, KEY), again;
	const char *why;

	move(s, key);
	assert_int_equal(
	    access_recall(&s->after, KEY, strlen(KEY), NOW, &again, &why),
	    ACCESS_UNKNOWN);
	assert_int_equal(
	    access_verify(&s->after, KEY, strlen(KEY), NOW, &again, &why),
	    ACCESS_GOOD);
	assert_int_not_equal(again, key);
	access_release(&s->after, key);
	assert_false(access_is_known(&s->after, key));
}

static void
test_who_has_no_connection_is_forgotten(void **state)
{
	struct scene *s = *state;
	uint32_t held = show_token(s, anna), not_held = show(s, KEY);

	move(s, held);
	move(s, not_held);
	access_release(&s->after, not_held);
	move(s, show_token(s, "{\"exp\":1700001000}"));
	access_adopted(&s->after);
	assert_true(access_is_known(&s->after, held));
	assert_false(access_is_known(&s->after, not_held));
	assert_int_equal(s->after.identities.count, 2);
	/* Read, and no connection has come for it. */
	buf_reset(&out);
	identity_record_put(
	    &out, identities_of(&s->before.identities, not_held));
	assert_true(adopt_out(s));
	access_adopted(&s->after);
	assert_int_equal(s->after.identities.count, 2);
}

static void
test_number_is_one_identity(void **state)
{
	struct scene *s = *state;
	uint32_t number = show(s, KEY);
	struct access_known known;

	move(s, number);
	assert_true(identity_record_read(&known, out.at, out.len));
	assert_false(access_adopt(&s->after, &known));
	known.number = IDENTITY_NOBODY;
	assert_false(access_adopt(&s->after, &known));
	known.number = IDENTITY_MASK + 1;
	assert_false(access_adopt(&s->after, &known));
	known.number = 5000;
	assert_true(access_adopt(&s->after, &known));
	assert_true(access_is_known(&s->after, 5000));
	assert_false(access_is_known(&s->after, 4999));
}

static void
test_every_cut_but_one_between_fields_is_refused(void **state)
{
	struct scene *s = *state;
	struct access_known known;
	size_t whole;
	char *copy;

	identity_record_put(
	    &out, identities_of(&s->before.identities, show(s, KEY)));
	whole = out.len;
	for (size_t len = 0; len <= whole; len++) {
		/* "program" comes last: without it there is no name. */
		bool ok = len == whole ||
		          len == whole - FIELD_HEAD - strlen("program");

		copy = test_malloc(len + 1); /* a look behind it is noticed */
		memcpy(copy, out.at, len);
		assert_int_equal(identity_record_read(&known, copy, len), ok);
		test_free(copy);
	}
}

/* A field behind the two that are always there, of a token. */
static bool
reads_with(struct scene *s, uint32_t tag, const char *bytes, size_t len)
{
	struct access_known known;

	buf_reset(&out);
	identity_record_put(&out, identities_of(&s->before.identities,
				      show_token(s, "{\"exp\":1700001000}")));
	out.len = FIELD_HEAD + 24 + FIELD_HEAD + SHA256_LEN;
	assert_true(fields_add(&out, tag, bytes, len, NULL, 0));
	return identity_record_read(&known, out.at, out.len);
}

static void
test_fields_that_are_not_known_and_wrong_ones(void **state)
{
	struct scene *s = *state;
	char name[JWT_SUB_MAX + 1] = { 0 };
	char key[SHA256_LEN + 5] = { [SHA256_LEN] = JWK_HS256 };

	assert_true(reads_with(s, 3, name, JWT_SUB_MAX));
	assert_false(reads_with(s, 3, name, JWT_SUB_MAX + 1));
	assert_false(reads_with(s, 3, name, 0));
	assert_false(reads_with(s, 4, "", 0));
	assert_false(reads_with(s, 5, "{", 1));
	assert_true(reads_with(s, 6, key, 36));
	assert_false(reads_with(s, 6, key, 35));
	assert_false(reads_with(s, 6, key, 37));
	assert_false(reads_with(s, 6, name, 36)); /* by no algorithm */
	assert_false(reads_with(s, 0x100, "limit", 5));
	assert_true(reads_with(s, FIELD_OPTIONAL | 0x100, "ease", 4));
	assert_true(reads_with(s, 4, "no object", 9));
	assert_false(adopt_out(s));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_token_comes_over_with_all_that_it_says),
	TEST(test_token_without_name_and_grants_comes_over),
	TEST(test_rules_are_those_of_who_goes_on),
	TEST(test_who_came_by_a_key_that_is_gone_is_let_go),
	TEST(test_guest_comes_over),
	TEST(test_credential_is_asked_for_again),
	TEST(test_who_has_no_connection_is_forgotten),
	TEST(test_number_is_one_identity),
	TEST(test_every_cut_but_one_between_fields_is_refused),
	TEST(test_fields_that_are_not_known_and_wrong_ones),
};

SUITE_MAIN(tests);
