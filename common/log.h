/* SPDX-License-Identifier: MIT */
/*
 * log.h - one line per event, to one descriptor.
 *
 *	2026-01-31T12:00:00.123Z info  supervisor[4711]: listening on ...
 *
 * The names are OpenBSD's: log_warn() appends the text of errno, log_warnx()
 * does not.  A line is written by one write(2) of at most LOG_LINE_MAX bytes,
 * so that lines of several processes do not mix in a pipe.  A descriptor that
 * would block drops the line and counts it: a worker never waits for its log.
 *
 * Each call site of the rate-limited level (warnings) may say LOG_BURST lines a
 * second; further ones are counted, and its next line says how many they were.
 */

#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdint.h>

#define LOG_LINE_MAX 1024 /* bytes, newline included; longer ones are cut */
#define LOG_BURST    5    /* warnings per call site and second */
#define LOG_KEPT     256  /* bytes of an error that are kept, NUL included */

enum log_level { LOG_ERROR = 0, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Where a call site stands with its rate limit; zeroed static storage. */
struct log_site {
	int64_t second;
	unsigned said;
	unsigned hushed;
};

/*
 * Set this process's name ("supervisor", "worker 2"), the descriptor (borrowed,
 * never closed; 2 until this is called) and the highest level that is written.
 * name is copied.  Call again after fork(2).
 */
void log_open(const char *name, int fd, enum log_level level);

/* Change the highest level that is written. */
void log_set_level(enum log_level level);

/* Level from its name (error, warn, info, debug).  Returns -1 if unknown. */
int log_level_parse(const char *name);

/* Lines this process could not write since it started. */
uint64_t log_dropped(void);

/*
 * The last error that this process has logged since log_open(), without time and
 * name, cut to LOG_KEPT; "" if there was none.  For a process that ends because
 * of it and has to tell why elsewhere than in the log.
 * Returns: text that is valid until the next error.
 */
const char *log_last_error(void);

#define LOG_FMT(at) __attribute__((format(printf, at, (at) + 1)))

void log_error(const char *fmt, ...) LOG_FMT(1);
void log_errorx(const char *fmt, ...) LOG_FMT(1);
void log_info(const char *fmt, ...) LOG_FMT(1);
void log_debug(const char *fmt, ...) LOG_FMT(1);

/* Behind log_warn() and log_warnx(). */
void log_warn_at(struct log_site *site, int with_errno, const char *fmt, ...)
    LOG_FMT(3);

/* A survivable oddity, rate-limited per call site. */
#define log_warn(...)  LOG_WARN_SITE(1, __VA_ARGS__)
#define log_warnx(...) LOG_WARN_SITE(0, __VA_ARGS__)
#define LOG_WARN_SITE(with_errno, ...)                                  \
	do {                                                            \
		static struct log_site log_site_here;                   \
		log_warn_at(&log_site_here, (with_errno), __VA_ARGS__); \
	} while (0)

#endif
