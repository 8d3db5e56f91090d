/* SPDX-License-Identifier: MIT */
/*
 * mime.c - see mime.h.
 *
 * A table in the program, not /etc/mime.types: a browser refuses a JavaScript
 * module or a style sheet of another type, so the chat would depend on what
 * the host has installed.
 */

#include "common/mime.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *extension;
	const char *type;
} mime_table[] = {
	{ "html", "text/html; charset=utf-8" },
	{ "htm", "text/html; charset=utf-8" },
	{ "css", "text/css; charset=utf-8" },
	{ "js", "text/javascript; charset=utf-8" },
	{ "mjs", "text/javascript; charset=utf-8" },
	{ "json", "application/json" },
	{ "map", "application/json" },
	{ "webmanifest", "application/manifest+json" },
	{ "txt", "text/plain; charset=utf-8" },
	{ "md", "text/markdown; charset=utf-8" },
	{ "xml", "text/xml; charset=utf-8" },
	{ "csv", "text/csv; charset=utf-8" },
	{ "svg", "image/svg+xml" },
	{ "png", "image/png" },
	{ "jpg", "image/jpeg" },
	{ "jpeg", "image/jpeg" },
	{ "gif", "image/gif" },
	{ "webp", "image/webp" },
	{ "avif", "image/avif" },
	{ "ico", "image/x-icon" },
	{ "woff", "font/woff" },
	{ "woff2", "font/woff2" },
	{ "wasm", "application/wasm" },
	{ "pdf", "application/pdf" },
	{ "mp3", "audio/mpeg" },
	{ "ogg", "audio/ogg" },
	{ "mp4", "video/mp4" },
	{ "webm", "video/webm" },
};

#define MIME_TABLE_LEN (sizeof(mime_table) / sizeof(mime_table[0]))
#define MIME_DEFAULT   "application/octet-stream"

const char *
mime_type(const char *path, size_t len)
{
	const char *slash = memrchr(path, '/', len);
	const char *name = slash != NULL ? slash + 1 : path;
	size_t name_len = len - (size_t)(name - path);
	const char *dot = memrchr(name, '.', name_len);
	size_t extension_len;

	if (dot == NULL)
		return MIME_DEFAULT;
	extension_len = name_len - (size_t)(dot + 1 - name);
	for (size_t i = 0; i < MIME_TABLE_LEN; i++) {
		const char *extension = mime_table[i].extension;

		if (strlen(extension) == extension_len &&
		    strncasecmp(extension, dot + 1, extension_len) == 0)
			return mime_table[i].type;
	}
	return MIME_DEFAULT;
}

bool
mime_compresses(const char *type)
{
	static const char *const beginnings[] = { "text/", "application/json",
		"application/manifest+json", "application/wasm",
		"image/svg+xml" };

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (strncmp(type, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}
