/* SPDX-License-Identifier: MIT */
/*
 * test_ring_bytes.c - a record is in the ring as layout.h draws it, whatever the
 * lengths of its name and body are.
 */

#include "broker/ring/ring_bytes.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <string.h>

#define RING_SIZE 65536u
#define POS       (3 * RING_SIZE + 4096u) /* in a later round */

/* Every way in which name and body can share words. */
static void
test_words_hold_name_and_body_without_a_gap(void **state)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz";
	static const char body[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ!?";
	struct testseg t;

	(void)state;
	testseg_open(&t, RING_SIZE, 16);
	for (uint8_t name_len = 0; name_len < sizeof(name); name_len++)
		for (uint32_t body_len = 0; body_len < sizeof(body);
		     body_len++) {
			size_t len =
			    sizeof(struct layout_record) + name_len + body_len;
			struct layout_record rec = {
				.length = ring_bytes_round((uint32_t)len),
				.name_len = name_len,
				.body_len = body_len,
				.topic = 7,
				.seq = UINT64_C(0x0123456789abcdef),
				.conn = 5,
			};
			unsigned char want[256], got[256];

			memset(want, 0, sizeof(want));
			memcpy(want, &rec, sizeof(rec));
			memcpy(want + sizeof(rec), name, name_len);
			memcpy(want + sizeof(rec) + name_len, body, body_len);
			memset(want + rec.length, 0xee, 8);
			memset(t.seg.ring + POS % RING_SIZE, 0xee, sizeof(got));
			ring_bytes_write(&t.seg, POS, &rec, name, body, NULL);
			ring_bytes_read(&t.seg, POS, got, rec.length + 8u);
			assert_memory_equal(got, want, rec.length + 8u);
		}
	testseg_close(&t);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_words_hold_name_and_body_without_a_gap),
};

SUITE_MAIN(tests);
