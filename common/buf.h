/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growing stretch of bytes, for text that is put together.
 *
 * Its owner keeps and resets it rather than making a new one, so that in the
 * long run nothing is allocated.  The code that fills a buffer bounds what a
 * client can put into it.
 */

#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buf {
	char *at; /* owned; not NUL-terminated */
	size_t len;
	size_t size; /* allocated */
};

/* An empty one.  Owns: the caller, until buf_fini(). */
void buf_init(struct buf *buf);
void buf_fini(struct buf *buf);

/* Forget the bytes, keep the memory. */
static inline void
buf_reset(struct buf *buf)
{
	buf->len = 0;
}

/* Room for len more bytes at the end.  The caller writes them, and adds to
 * buf->len how many it has written. */
char *buf_room(struct buf *buf, size_t len);

/* Append bytes, a string, a formatted text. */
void buf_add(struct buf *buf, const void *data, size_t len);
static inline void
buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}
void buf_printf(struct buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Append a number in decimal. */
void buf_number(struct buf *buf, uint64_t number);

/* Write a number in decimal to out, which has room for BUF_DIGITS_MAX bytes, all
 * of which may be written to.  Returns: how many the number has. */
#define BUF_DIGITS_MAX 20u
size_t buf_digits(char *out, uint64_t number);

/* Append text, which is UTF-8, as a JSON string with its quotes. */
void buf_json_string(struct buf *buf, const char *text, size_t len);

/* Append what a JSON text stands for: a string's text, decoded, or (of any other
 * value) the JSON itself.  json has been checked (json_check()). */
void buf_json_text(struct buf *buf, const char *json, size_t len);

#endif
