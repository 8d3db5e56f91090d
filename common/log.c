/* SPDX-License-Identifier: MIT */
/* log.c - format a line, write it once; see log.h. */

#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
	char name[32];
	int fd;
	enum log_level level;
	uint64_t dropped;
	char last_error[LOG_KEPT];
} log_state = { "pubsubd", STDERR_FILENO, LOG_INFO, 0, "" };

static const char *const log_names[] = { "error", "warn", "info", "debug" };

void
log_open(const char *name, int fd, enum log_level level)
{
	snprintf(log_state.name, sizeof(log_state.name), "%s", name);
	log_state.fd = fd;
	log_state.level = level;
	log_state.dropped = 0;
	log_state.last_error[0] = '\0';
}

void
log_set_level(enum log_level level)
{
	log_state.level = level;
}

int
log_level_parse(const char *name)
{
	for (int i = 0; i <= LOG_DEBUG; i++)
		if (strcmp(name, log_names[i]) == 0)
			return i;
	return -1;
}

uint64_t
log_dropped(void)
{
	return log_state.dropped;
}

const char *
log_last_error(void)
{
	return log_state.last_error;
}

/* Start a line: time, level, process.  Returns its length so far.  The time by
 * hand: strftime(3) looks for the file of the time zone each time, and a worker
 * that opens files is killed (worker/sandbox.h). */
static size_t
log_prefix(char *line, enum log_level level)
{
	struct timespec now;
	struct tm utc;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	return (size_t)snprintf(line, 192,
	    "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %-5s %s[%d]: ",
	    utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
	    utc.tm_min, utc.tm_sec, now.tv_nsec / 1000000, log_names[level],
	    log_state.name, getpid());
}

/* Append to a line that always keeps a byte for its newline. */
static size_t LOG_FMT(3)
    log_append(char *line, size_t len, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line + len, LOG_LINE_MAX - len, fmt, ap);
	va_end(ap);
	if (n > 0)
		len += (size_t)n;
	return len < LOG_LINE_MAX ? len : LOG_LINE_MAX - 1;
}

/* A client's bytes may reach a line: only one line, and only text. */
static void
log_sanitize(char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
}

static void log_line(enum log_level level, int err, unsigned hushed,
    const char *fmt, va_list ap) __attribute__((format(printf, 4, 0)));

static void
log_line(
    enum log_level level, int err, unsigned hushed, const char *fmt, va_list ap)
{
	char line[LOG_LINE_MAX];
	size_t len, prefix;
	int n;

	if (level > log_state.level)
		return;
	len = prefix = log_prefix(line, level);
	n = vsnprintf(line + len, LOG_LINE_MAX - len, fmt, ap);
	if (n > 0)
		len += (size_t)n;
	if (len >= LOG_LINE_MAX)
		len = LOG_LINE_MAX - 1;
	if (err != 0)
		len = log_append(line, len, ": %s", strerror(err));
	if (hushed != 0)
		len = log_append(line, len, " (%u more like this)", hushed);
	log_sanitize(line, len);
	if (level == LOG_ERROR)
		snprintf(log_state.last_error, sizeof(log_state.last_error),
		    "%.*s", (int)(len - prefix), line + prefix);
	line[len++] = '\n';
	if (write(log_state.fd, line, len) != (ssize_t)len)
		log_state.dropped++;
}

#define LOG_VARIADIC(level, err)                      \
	do {                                          \
		int saved = errno;                    \
		va_list ap;                           \
		va_start(ap, fmt);                    \
		log_line((level), (err), 0, fmt, ap); \
		va_end(ap);                           \
		errno = saved;                        \
	} while (0)

void
log_error(const char *fmt, ...)
{
	LOG_VARIADIC(LOG_ERROR, saved);
}

void
log_errorx(const char *fmt, ...)
{
	LOG_VARIADIC(LOG_ERROR, 0);
}

void
log_info(const char *fmt, ...)
{
	LOG_VARIADIC(LOG_INFO, 0);
}

void
log_debug(const char *fmt, ...)
{
	LOG_VARIADIC(LOG_DEBUG, 0);
}

/* Whether this call site may log now; *hushed gets how many of its lines were
 * kept back before. */
static bool
log_site_may_speak(struct log_site *site, unsigned *hushed)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (site->second != now.tv_sec) {
		site->second = now.tv_sec;
		site->said = 0;
	}
	if (site->said == LOG_BURST) {
		site->hushed++;
		return false;
	}
	site->said++;
	*hushed = site->hushed;
	site->hushed = 0;
	return true;
}

void
log_warn_at(struct log_site *site, int with_errno, const char *fmt, ...)
{
	int saved = errno;
	unsigned hushed;
	va_list ap;

	if (log_site_may_speak(site, &hushed)) {
		va_start(ap, fmt);
		log_line(LOG_WARN, with_errno ? saved : 0, hushed, fmt, ap);
		va_end(ap);
	}
	errno = saved;
}
