/* SPDX-License-Identifier: MIT */
/* test_access.c - what worker/access/access.h and identities.h promise. */

#include "broker/shared/access_store.h"
#include "tests/support/suite.h"
#include "tests/support/token_keys.h"
#include "tests/support/token_maker.h"
#include "worker/access/access.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NOW UINT64_C(1700000000)

struct scene {
	struct access_store *store;
	struct access access;
	_Atomic uint64_t counters[STATS_COUNT];
	struct stats stats;
	struct access_texts texts;
};

static void
put(struct scene *s, enum access_kind kind, const char *text)
{
	assert_true(access_texts_add(&s->texts, kind, text, strlen(text)));
}

/* Publish what was put, and start anew with that. */
static void
publish(struct scene *s)
{
	access_store_put(s->store, &s->texts);
	access_texts_wipe(&s->texts);
}

static int
setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->store = access_store_open(-1);
	s->stats.counters = s->counters;
	put(s, ACCESS_JWT_KEY, KEY_HMAC);
	put(s, ACCESS_JWT_LEEWAY, "10000");
	put(s, ACCESS_ANONYMOUS, "presence:public");
	put(s, ACCESS_GRANT, "publish:user/{sub}");
	publish(s);
	*state = s;
	return !access_open(&s->access, s->store, &s->stats);
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	access_close(&s->access);
	access_store_close(s->store);
	free(s);
	return 0;
}

/* The number of who has a token with these claims, or IDENTITY_NOBODY. */
static uint32_t
verify_at(struct scene *s, uint64_t now_s, const char *claims)
{
	char token[TOKEN_ROOM];
	const char *why = NULL;
	uint32_t number = IDENTITY_NOBODY;
	size_t len = token_sign("HS256", "{\"alg\":\"HS256\"}", claims, token);

	enum access_verdict verdict =
	    access_recall(&s->access, token, len, now_s, &number, &why);

	if (verdict == ACCESS_UNKNOWN)
		verdict =
		    access_verify(&s->access, token, len, now_s, &number, &why);
	assert_int_not_equal(verdict, ACCESS_UNKNOWN);
	if (verdict == ACCESS_GOOD)
		return number;
	assert_non_null(why);
	assert_int_equal(number, IDENTITY_NOBODY);
	return IDENTITY_NOBODY;
}

#define CLAIMS(sub, pubsubd) \
	"{\"exp\":1700001000,\"sub\":\"" sub "\",\"pubsubd\":" pubsubd "}"

static uint32_t
verify(struct scene *s, const char *claims)
{
	return verify_at(s, NOW, claims);
}

static bool
allows(const struct scene *s, uint32_t number, unsigned kinds, const char *name)
{
	return access_allows(&s->access, number, kinds, name, strlen(name));
}

static void
test_without_texts_everybody_may_everything(void **state)
{
	struct scene *s = *state;
	struct access open;

	assert_true(access_open(&open, NULL, &s->stats));
	assert_true(access_is_open(&open));
	assert_true(access_allows(&open, IDENTITY_NOBODY, GRANT_ALL, "x", 1));
	assert_false(access_renew(&open));
	access_close(&open);
	assert_false(access_is_open(&s->access));
	assert_false(allows(s, IDENTITY_NOBODY, GRANT_PUBLISH, "x"));
}

static void
test_grants_of_token_rules_and_everybody_add_up(void **state)
{
	struct scene *s = *state;
	uint32_t n =
	    verify(s, CLAIMS("42", "{\"subscribe\":[\"user/+\",\"public\"]}"));

	assert_int_not_equal(n, IDENTITY_NOBODY);
	assert_true(allows(s, n, GRANT_SUBSCRIBE | GRANT_PUBLISH, "user/42"));
	assert_false(allows(s, n, GRANT_SUBSCRIBE | GRANT_PUBLISH, "user/43"));
	assert_true(allows(s, n, GRANT_SUBSCRIBE | GRANT_PRESENCE, "public"));
	assert_false(allows(s, n, GRANT_HISTORY, "public"));
	assert_true(allows(s, IDENTITY_NOBODY, GRANT_PRESENCE, "public"));
	assert_false(allows(s, IDENTITY_NOBODY, GRANT_SUBSCRIBE, "public"));
	assert_true(access_allows_some(&s->access, n, GRANT_SUBSCRIBE));
	assert_false(access_allows_some(&s->access, n, GRANT_HISTORY));
	assert_true(
	    access_allows_some(&s->access, IDENTITY_NOBODY, GRANT_PRESENCE));
	access_release(&s->access, n);
}

static void
expect_user(
    const struct scene *s, uint32_t number, const char *sub, const char *info)
{
	struct access_user user;

	assert_true(access_user(&s->access, number, &user));
	assert_int_equal(user.sub_len, strlen(sub));
	assert_memory_equal(user.sub, sub, user.sub_len);
	assert_int_equal(user.info != NULL, info != NULL);
	assert_int_equal(user.info_len, info != NULL ? strlen(info) : 0);
	if (info != NULL)
		assert_memory_equal(user.info, info, user.info_len);
}

static void
test_what_a_token_says_of_its_user_is_kept(void **state)
{
	struct scene *s = *state;
	uint32_t n = verify(s, "{\"exp\":1700001000,\"sub\":\"ann\",\"info\":"
			       "{ \"name\":\n\"A\\ud800 n\" }}");
	uint32_t other = verify(s, CLAIMS("bob", "{}"));
	uint32_t guest = access_guest(&s->access, NOW);
	struct access_user user;

	expect_user(s, n, "ann", "{\"name\":\"A\\ufffd n\"}");
	expect_user(s, other, "bob", NULL);
	assert_false(access_user(&s->access, guest, &user));
	assert_false(access_user(&s->access, IDENTITY_NOBODY, &user));
	assert_null(user.info);
	/* Other rules change nothing of it. */
	put(s, ACCESS_JWT_KEY, KEY_RSA);
	publish(s);
	assert_true(access_renew(&s->access));
	expect_user(s, n, "ann", "{\"name\":\"A\\ufffd n\"}");
	access_release(&s->access, n);
	access_release(&s->access, other);
	access_release(&s->access, guest);
	assert_int_equal(s->access.identities.count, 0);
}

static void
test_one_token_is_one_identity_as_long_as_it_is_good(void **state)
{
	struct scene *s = *state;
	uint32_t a = verify(s, CLAIMS("a", "{}"));
	uint32_t b = verify(s, CLAIMS("b", "{}"));

	assert_int_not_equal(a, b);
	assert_int_equal(verify(s, CLAIMS("a", "{}")), a);
	assert_int_equal(s->access.identities.count, 2);
	access_release(&s->access, a);
	access_release(&s->access, a);
	access_release(&s->access, b);
	/* Nobody holds them, but both are still known, also when their time
	 * is over: then they are refused. */
	assert_int_equal(s->access.identities.count, 2);
	assert_int_equal(verify_at(s, NOW + 1009, CLAIMS("a", "{}")), a);
	access_release(&s->access, a);
	assert_int_equal(
	    verify_at(s, NOW + 1010, CLAIMS("a", "{}")), IDENTITY_NOBODY);
	assert_int_equal(s->counters[STATS_TOKENS_EXPIRED], 1);
	assert_int_equal(s->counters[STATS_TOKENS_ACCEPTED], 4);
}

static void
test_tokens_are_refused_and_counted_by_reason(void **state)
{
	struct scene *s = *state;
	char token[TOKEN_ROOM];
	const char *why;
	uint32_t number;
	size_t len;

	assert_int_equal(verify(s, "{\"exp\":1}"), IDENTITY_NOBODY);
	assert_int_equal(s->counters[STATS_TOKENS_EXPIRED], 1);
	assert_int_equal(verify(s, "{}"), IDENTITY_NOBODY);
	assert_int_equal(
	    verify(s, CLAIMS("a", "{\"publish\":\"x\"}")), IDENTITY_NOBODY);
	assert_int_equal(s->counters[STATS_TOKENS_CLAIMS], 2);
	len = token_sign("ES256", "{\"alg\":\"ES256\"}", "{}", token);
	assert_int_equal(
	    access_verify(&s->access, token, len, NOW, &number, &why),
	    ACCESS_BAD);
	assert_int_equal(s->counters[STATS_TOKENS_KEY], 1);
	len = token_sign("HS256", "{\"alg\":\"HS256\"}", "{}", token);
	token[len - 2] = token[len - 2] == 'A' ? 'B' : 'A';
	assert_int_equal(
	    access_verify(&s->access, token, len, NOW, &number, &why),
	    ACCESS_BAD);
	assert_int_equal(s->counters[STATS_TOKENS_SIGNATURE], 1);
	assert_int_equal(
	    access_verify(&s->access, "x", 1, NOW, &number, &why), ACCESS_BAD);
	assert_int_equal(s->counters[STATS_TOKENS_MALFORMED], 1);
	assert_int_equal(s->counters[STATS_TOKENS_ACCEPTED], 0);
	assert_int_equal(s->access.identities.count, 0);
}

static void
test_other_rules_leave_who_is_known_with_the_tokens_grants(void **state)
{
	struct scene *s = *state;
	uint32_t n = verify(s, CLAIMS("42", "{\"history\":[\"a\"]}"));
	uint32_t other = verify(s, CLAIMS("43", "{}"));

	access_release(&s->access, other);
	assert_false(access_renew(&s->access));
	put(s, ACCESS_JWT_KEY, KEY_RSA);
	put(s, ACCESS_GRANT, "subscribe:room/{sub}");
	publish(s);
	assert_true(access_renew(&s->access));
	assert_false(access_renew(&s->access));
	assert_int_equal(s->access.identities.count, 1);
	assert_true(allows(s, n, GRANT_HISTORY, "a"));
	assert_true(allows(s, n, GRANT_SUBSCRIBE, "room/42"));
	assert_false(allows(s, n, GRANT_PUBLISH, "user/42"));
	assert_false(allows(s, IDENTITY_NOBODY, GRANT_PRESENCE, "public"));
	/* Its token opens nothing any more. */
	assert_int_equal(
	    verify(s, CLAIMS("42", "{\"history\":[\"a\"]}")), IDENTITY_NOBODY);
	access_release(&s->access, n);
	assert_int_equal(s->access.identities.count, 0);
	publish(s);
	assert_true(access_renew(&s->access));
	assert_true(access_is_open(&s->access));
}

/* With --jwt-strict-rotation a token lasts no longer than its key does, for the
 * algorithm that it was verified by. */
static void
test_a_key_that_is_gone_ends_its_tokens_where_that_is_said(void **state)
{
	struct scene *s = *state;
	struct identities *all = &s->access.identities;
	uint32_t n = verify(s, CLAIMS("42", "{}"));
	uint32_t guest = access_guest(&s->access, NOW);

	/* Not said: it stays. */
	put(s, ACCESS_JWT_KEY, KEY_RSA);
	publish(s);
	assert_true(access_renew(&s->access));
	identities_looked(all, NOW);
	assert_false(identities_are_due(all, NOW));
	/* The same key in another file and by another name is the same. */
	put(s, ACCESS_JWT_STRICT_ROTATION, "1");
	put(s, ACCESS_JWT_KEY, KEY_RSA);
	put(s, ACCESS_JWT_KEY, KEY_HMAC_KID);
	put(s, ACCESS_AUTH_TIMEOUT, "10000");
	publish(s);
	assert_true(access_renew(&s->access));
	assert_false(identities_are_due(all, NOW));
	assert_int_equal(identities_of(all, n)->until_s, NOW + 1010);
	put(s, ACCESS_JWT_STRICT_ROTATION, "1");
	put(s, ACCESS_JWT_KEY, KEY_RSA);
	publish(s);
	assert_true(access_renew(&s->access));
	assert_true(identities_are_due(all, NOW));
	assert_int_equal(identities_of(all, n)->until_s, 0);
	assert_int_not_equal(identities_of(all, guest)->until_s, 0);
	access_release(&s->access, n);
	access_release(&s->access, guest);
}

static void
test_those_that_nobody_holds_are_bounded(void **state)
{
	struct scene *s = *state;
	struct identities *all = &s->access.identities;
	uint8_t digest[SHA256_LEN] = { 0 };
	uint32_t first = 0, made = 0;

	/* One is held: it stays, however many come and go. */
	first = identities_add(all, digest, UINT64_MAX)->number;
	do {
		struct identity *identity;

		made++;
		memcpy(digest, &made, sizeof(made));
		identity = identities_add(all, digest, UINT64_MAX);
		assert_non_null(identity);
		identities_keep_info(identity, "[1]", 3);
		identities_release(all, identity->number);
		assert_true(all->unused_bytes <= IDENTITIES_UNUSED_MAX);
	} while (all->count == made + 1);
	/* The oldest went, the newest is there. */
	assert_non_null(identities_find(all, digest));
	memset(digest, 0, sizeof(digest));
	assert_non_null(identities_find(all, digest));
	digest[0] = 1;
	assert_null(identities_find(all, digest));
	identities_release(all, first);
}

static void
test_numbers_are_used_again(void **state)
{
	struct scene *s = *state;
	struct identities *all = &s->access.identities;
	uint8_t digest[SHA256_LEN] = { 0 };
	uint32_t numbers[200];

	for (unsigned i = 0; i < COUNT(numbers); i++) {
		digest[0] = (uint8_t)i;
		numbers[i] = identities_add(all, digest, 1)->number;
		assert_in_range(numbers[i], 1, COUNT(numbers));
	}
	identities_drop(all, identities_of(all, numbers[17]));
	digest[0] = 17;
	assert_null(identities_find(all, digest));
	assert_int_equal(identities_add(all, digest, 1)->number, numbers[17]);
	identities_forget_all(all);
	for (unsigned i = 0; i < COUNT(numbers); i++)
		identities_release(all, numbers[i]);
	assert_int_equal(all->count, 0);
}

/* Connections are looked at when somebody's time is short, and when it is over. */
static void
test_it_is_due_when_a_time_is_short(void **state)
{
	struct scene *s = *state;
	struct identities *all = &s->access.identities;
	uint8_t digest[SHA256_LEN] = { 0 };
	struct identity *identity;

	assert_false(identities_are_due(all, NOW));
	identity = identities_add(all, digest, NOW + 1000);
	assert_false(identities_are_due(all, NOW + 939));
	assert_true(identities_are_due(all, NOW + 940));
	identities_looked(all, NOW + 940);
	assert_false(identities_are_due(all, NOW + 999));
	assert_true(identities_are_due(all, NOW + 1000));
	identities_looked(all, NOW + 1000);
	assert_false(identities_are_due(all, NOW + 100000));
	/* A connection more, whose time is short already: in the next second. */
	identity->until_s = NOW + 2000;
	identities_looked(all, NOW + 1990);
	identities_hold(all, identity->number);
	assert_false(identities_are_due(all, NOW + 1990));
	assert_true(identities_are_due(all, NOW + 1991));
	identities_release(all, identity->number);
	identities_release(all, identity->number);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_without_texts_everybody_may_everything),
	TEST(test_grants_of_token_rules_and_everybody_add_up),
	TEST(test_what_a_token_says_of_its_user_is_kept),
	TEST(test_one_token_is_one_identity_as_long_as_it_is_good),
	TEST(test_tokens_are_refused_and_counted_by_reason),
	TEST(test_other_rules_leave_who_is_known_with_the_tokens_grants),
	TEST(test_a_key_that_is_gone_ends_its_tokens_where_that_is_said),
	TEST(test_those_that_nobody_holds_are_bounded),
	TEST(test_numbers_are_used_again),
	TEST(test_it_is_due_when_a_time_is_short),
};

SUITE_MAIN(tests);
