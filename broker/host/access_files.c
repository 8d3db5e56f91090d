/* SPDX-License-Identifier: MIT */
/* access_files.c - see access_files.h. */

#include "broker/host/access_files.h"

#include "broker/host/small_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const access_options[ACCESS_KINDS] = {
	[ACCESS_JWT_KEY] = "--jwt-key",
	[ACCESS_API_KEYS] = "--api-keys",
	[ACCESS_ADMIN_KEY] = "--admin-key",
	[ACCESS_JWT_ISS] = "--jwt-iss",
	[ACCESS_JWT_AUD] = "--jwt-aud",
	[ACCESS_JWT_LEEWAY] = "--jwt-leeway",
	[ACCESS_JWT_COOKIE] = "--jwt-cookie",
	[ACCESS_JWT_QUERY] = "--jwt-query",
	[ACCESS_JWT_STRICT_ROTATION] = "--jwt-strict-rotation",
	[ACCESS_AUTH_TIMEOUT] = "--auth-timeout",
	[ACCESS_ANONYMOUS] = "--anonymous",
	[ACCESS_GRANT] = "--grant",
};

/* The texts in the making. */
struct access_reading {
	struct access_texts *texts;
	const char *value[ACCESS_TEXTS_MAX]; /* of each: as it was given */
	char *error;
};

/* Say what is wrong with the value of an option.  Returns false. */
static bool
access_fail(struct access_reading *r, enum access_kind kind, const char *value,
    unsigned line, const char *why)
{
	char where[16] = "";

	if (line > 0)
		snprintf(where, sizeof(where), ":%u", line);
	snprintf(r->error, ACCESS_FILES_ERROR_MAX, "%s %.300s%s: %s",
	    access_options[kind], value, where, why);
	return false;
}

static bool
access_add(struct access_reading *r, enum access_kind kind, const char *value,
    const char *text, size_t len)
{
	r->value[r->texts->count] = value;
	return access_texts_add(r->texts, kind, text, len) ||
	       access_fail(r, kind, value, 0, "is too much");
}

static bool
access_add_value(
    struct access_reading *r, enum access_kind kind, const char *value)
{
	return access_add(r, kind, value, value, strlen(value));
}

static bool
access_add_values(struct access_reading *r, enum access_kind kind,
    const char *const *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!access_add_value(r, kind, values[i]))
			return false;
	return true;
}

/* Whether the file is guarded as its keys need it. */
static bool
access_is_guarded(const struct small_file *file, char why[SMALL_FILE_WHY_MAX])
{
	struct jwk_fault fault;
	struct jwk_set keys;
	bool is_secret;

	jwk_set_init(&keys);
	/* What is wrong with its keys is told with the line, later. */
	is_secret = jwk_set_add(&keys, file->text, file->len, &fault) &&
	            jwk_set_has_secret(&keys);
	jwk_set_fini(&keys);
	if (is_secret)
		return small_file_is_guarded(file, why);
	snprintf(why, SMALL_FILE_WHY_MAX,
	    "everybody may change it (mode %04o); chmod 644 mends that",
	    file->mode);
	return (file->mode & S_IWOTH) == 0;
}

static bool
access_add_key(struct access_reading *r, const char *path)
{
	char why[SMALL_FILE_WHY_MAX];
	struct small_file file;
	bool ok;

	if (!small_file_read(&file, path, JWK_TEXT_MAX, false, why))
		return access_fail(r, ACCESS_JWT_KEY, path, 0, why);
	ok = access_is_guarded(&file, why)
	         ? access_add(r, ACCESS_JWT_KEY, path, file.text, file.len)
	         : access_fail(r, ACCESS_JWT_KEY, path, 0, why);
	small_file_wipe(&file);
	return ok;
}

static bool
access_add_keys(struct access_reading *r, const struct config *config)
{
	for (size_t i = 0; i < config->jwt_key_count; i++)
		if (!access_add_key(r, config->jwt_key[i]))
			return false;
	return true;
}

/* A file that is a secret whatever is in it; path may be NULL. */
static bool
access_add_secret(struct access_reading *r, enum access_kind kind,
    const char *path, size_t max)
{
	char why[SMALL_FILE_WHY_MAX];
	struct small_file file;
	bool ok;

	if (path == NULL)
		return true;
	if (!small_file_read(&file, path, max, true, why))
		return access_fail(r, kind, path, 0, why);
	ok = access_add(r, kind, path, file.text, file.len);
	small_file_wipe(&file);
	return ok;
}

static bool
access_add_all(struct access_reading *r, const struct config *config)
{
	char leeway[16], timeout[16];

	if (!access_add_secret(
		r, ACCESS_ADMIN_KEY, config->admin_key, ACCESS_ADMIN_KEY_MAX))
		return false;
	if (config->jwt_key_count == 0 && config->api_keys == NULL &&
	    config->anonymous_count == 0)
		return true;
	snprintf(leeway, sizeof(leeway), "%u", config->jwt_leeway_ms);
	snprintf(timeout, sizeof(timeout), "%u", config->auth_timeout_ms);
	return access_add_keys(r, config) &&
	       access_add_secret(
		   r, ACCESS_API_KEYS, config->api_keys, API_KEYS_TEXT) &&
	       access_add_values(r, ACCESS_JWT_ISS, &config->jwt_iss,
		   config->jwt_iss != NULL) &&
	       access_add_values(
		   r, ACCESS_JWT_AUD, config->jwt_aud, config->jwt_aud_count) &&
	       access_add_value(r, ACCESS_JWT_LEEWAY, leeway) &&
	       access_add_values(r, ACCESS_JWT_COOKIE, &config->jwt_cookie,
		   config->jwt_cookie != NULL) &&
	       (!config->jwt_query ||
		   access_add_value(r, ACCESS_JWT_QUERY, "1")) &&
	       (!config->jwt_strict_rotation ||
		   access_add_value(r, ACCESS_JWT_STRICT_ROTATION, "1")) &&
	       access_add_value(r, ACCESS_AUTH_TIMEOUT, timeout) &&
	       access_add_values(r, ACCESS_ANONYMOUS, config->anonymous,
		   config->anonymous_count) &&
	       access_add_values(
		   r, ACCESS_GRANT, config->grant, config->grant_count);
}

/* Whether rules can be made of the texts. */
static bool
access_judge(struct access_reading *r)
{
	struct access_fault fault;
	struct access_rules *rules = access_rules_new(r->texts, &fault);

	if (rules == NULL)
		return access_fail(r, r->texts->text[fault.text].kind,
		    r->value[fault.text], fault.line, fault.why);
	access_rules_free(rules);
	return true;
}

bool
access_files_read(struct access_texts *texts, const struct config *config,
    char error[ACCESS_FILES_ERROR_MAX])
{
	struct access_reading r = { .texts = texts, .error = error };

	memset(texts, 0, sizeof(*texts));
	if (access_add_all(&r, config) && access_judge(&r))
		return true;
	access_texts_wipe(texts);
	return false;
}
