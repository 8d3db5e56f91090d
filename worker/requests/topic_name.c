/* SPDX-License-Identifier: MIT */
/* topic_name.c - see topic_name.h. */

#include "worker/requests/topic_name.h"

#include "broker/shared/layout.h"
#include "common/utf8.h"
#include "common/vec.h"

/* Whether valid UTF-8 has a control character in it: C0, DEL, or C1, which are
 * U+0080 to U+009F and thus C2 and one more byte. */
static bool
topic_name_has_control(const char *name, size_t len)
{
	const unsigned char *p = (const unsigned char *)name;

	for (size_t i = 0; i < len; i++)
		if (p[i] < 0x20 || p[i] == 0x7f ||
		    (p[i] == 0xc2 && p[i + 1] < 0xa0))
			return true;
	return false;
}

/* Whether a name that is not too long is ASCII that can be printed, as most
 * are; sixteen bytes at a time, of which the last are filled up. */
static bool
topic_name_is_printable(const char *name, size_t len)
{
	vec v, bad = { 0 };

	for (; len >= VEC_LEN; name += VEC_LEN, len -= VEC_LEN) {
		v = vec_load(name);
		bad |= (vec)(v - VEC_ALL(0x20) >= VEC_ALL(0x7f - 0x20));
	}
	v = VEC_ALL(0x20);
	if (len > 0) /* else there may be no bytes at all */
		memcpy(&v, name, len);
	bad |= (vec)(v - VEC_ALL(0x20) >= VEC_ALL(0x7f - 0x20));
	return vec_fold(bad) == 0;
}

bool
topic_name_valid(const char *name, size_t len, const char **why)
{
	if (len > LAYOUT_TOPIC_NAME_MAX)
		*why = "a topic is longer than 255 bytes";
	else if (topic_name_is_printable(name, len))
		return true;
	else if (!utf8_valid(name, len))
		*why = "a topic is not UTF-8";
	else if (topic_name_has_control(name, len))
		*why = "a topic has a control character in it";
	else
		return true;
	return false;
}
