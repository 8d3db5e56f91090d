/* SPDX-License-Identifier: MIT */
/* jwt_make.c - see jwt_make.h. */

#include "common/jwt_make.h"

#include "common/buf.h"
#include "common/jwt.h"
#include "common/jwt_sign.h"
#include "common/xmalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Append ,"name":"text" unless text is NULL. */
static void
jwt_make_put(struct buf *json, const char *name, const char *text)
{
	if (text == NULL)
		return;
	buf_printf(json, ",\"%s\":", name);
	buf_json_string(json, text, strlen(text));
}

/* The same of a text that is JSON. */
static void
jwt_make_put_json(struct buf *json, const char *name, const char *text)
{
	if (text != NULL)
		buf_printf(json, ",\"%s\":%s", name, text);
}

/* Append the header.  Returns the algorithm that it names; 0: the key is not for
 * it. */
static unsigned
jwt_make_header(const struct jwt_signer *signer, const struct jwt_wish *wish,
    struct buf *json)
{
	const char *alg = wish->alg != NULL ? wish->alg : signer->alg_name;

	buf_printf(json, "{\"alg\":\"%s\",\"typ\":\"JWT\"", alg);
	if (wish->kid != NULL) {
		jwt_make_put(json, "kid", wish->kid);
	} else if (signer->has_kid) {
		buf_puts(json, ",\"kid\":");
		buf_json_string(json, signer->kid, signer->kid_len);
	}
	buf_puts(json, "}");
	return jwk_alg_named(alg, strlen(alg)) & signer->algs;
}

/* One audience is a string, several are an array of them. */
static void
jwt_make_audiences(const struct jwt_wish *wish, struct buf *json)
{
	if (wish->aud_count == 1)
		jwt_make_put(json, "aud", wish->aud[0]);
	if (wish->aud_count < 2)
		return;
	for (size_t i = 0; i < wish->aud_count; i++) {
		buf_puts(json, i == 0 ? ",\"aud\":[" : ",");
		buf_json_string(json, wish->aud[i], strlen(wish->aud[i]));
	}
	buf_puts(json, "]");
}

static void
jwt_make_payload(const struct jwt_wish *wish, struct buf *json)
{
	buf_printf(json, "{\"iat\":%" PRIu64 ",\"exp\":%" PRIu64, wish->now_s,
	    wish->exp_s);
	jwt_make_put(json, "iss", wish->iss);
	jwt_make_put(json, "sub", wish->sub);
	jwt_make_audiences(wish, json);
	jwt_make_put_json(json, "info", wish->info);
	jwt_make_put_json(json, "pubsubd", wish->grants);
	buf_puts(json, "}");
}

/* What the verifier has against header and payload. */
static enum jwt_status
jwt_make_judge(const struct jwt_wish *wish, const struct buf *header_json,
    const struct buf *payload)
{
	struct jwt_policy policy = { .iss = wish->iss };
	struct jwt_header header;
	struct jwt_claims *claims;
	enum jwt_status status;

	if (payload->len > sizeof(claims->payload) ||
	    wish->aud_count > JWT_AUD_MAX)
		return JWT_TOO_LONG;
	status = jwt_header_read(header_json->at, header_json->len, &header);
	if (status != JWT_OK)
		return status;
	for (size_t i = 0; i < wish->aud_count; i++)
		policy.aud[policy.aud_count++] = wish->aud[i];
	claims = xmalloc(sizeof(*claims));
	memcpy(claims->payload, payload->at, payload->len);
	status = jwt_claims_read(claims, payload->len, &policy, wish->now_s);
	free(claims);
	return status;
}

/* Sign into out.  Returns NULL, or why not. */
static const char *
jwt_make_sign(const struct jwt_signer *signer, unsigned alg,
    const struct buf *header, const struct buf *payload, struct buf *out)
{
	size_t len;

	len = jwt_sign(signer, alg, header->at, header->len, payload->at,
	    payload->len,
	    buf_room(out, JWT_SIGNED_MAX(header->len, payload->len)));
	if (len == 0)
		return "the key cannot sign";
	if (len > JWT_MAX)
		return jwt_reason(JWT_TOO_LONG);
	out->len += len;
	return NULL;
}

bool
jwt_make(const struct jwt_signer *signer, const struct jwt_wish *wish,
    struct buf *out, const char **why)
{
	struct buf header, payload;
	enum jwt_status status;
	unsigned alg;

	buf_init(&header);
	buf_init(&payload);
	alg = jwt_make_header(signer, wish, &header);
	jwt_make_payload(wish, &payload);
	status = jwt_make_judge(wish, &header, &payload);
	if (alg == 0)
		*why = "the key is not for this algorithm";
	else if (status != JWT_OK)
		*why = jwt_reason(status);
	else
		*why = jwt_make_sign(signer, alg, &header, &payload, out);
	buf_fini(&header);
	buf_fini(&payload);
	return *why == NULL;
}
