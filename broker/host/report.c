/* SPDX-License-Identifier: MIT */
/* report.c - see report.h.  In a pipe, a report is a byte with the status and
 * then the line. */

#include "broker/host/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define REPORT_MAX 1024 /* bytes of a report */

static int report_pipe = -1;
static bool report_mute;

void
report_into(int fd)
{
	report_pipe = fd;
}

void
report_no_ready(void)
{
	report_mute = true;
}

/* Print a report where it belongs by its status. */
static void
report_print(enum exit_status status, const char *text)
{
	if (status == EXIT_STATUS_OK) {
		printf("%s\n", text);
		fflush(stdout);
	} else {
		fprintf(stderr, "pubsubd: %s\n", text);
	}
}

static void report_send(enum exit_status status, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
report_send(enum exit_status status, const char *fmt, va_list ap)
{
	char text[REPORT_MAX];
	ssize_t sent;
	int len;

	text[0] = (char)status;
	len = vsnprintf(text + 1, sizeof(text) - 1, fmt, ap) + 1;
	if (len >= (int)sizeof(text))
		len = (int)sizeof(text) - 1;
	if (report_pipe == -1) {
		report_print(status, text + 1);
		return;
	}
	/* Nobody reads it any more: then nobody is to be told. */
	sent = write(report_pipe, text, (size_t)len);
	(void)sent;
	/* A failure has been told when all is cleared away: when we exit. */
	if (status != EXIT_STATUS_OK)
		return;
	close(report_pipe);
	report_pipe = -1;
}

void
report_ready(const char *fmt, ...)
{
	va_list ap;

	if (report_mute)
		return;
	va_start(ap, fmt);
	report_send(EXIT_STATUS_OK, fmt, ap);
	va_end(ap);
	report_mute = true;
}

enum exit_status
report_failure(enum exit_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_send(status, fmt, ap);
	va_end(ap);
	return status;
}

void
report_note(const char *fmt, ...)
{
	va_list ap;

	fputs("pubsubd: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

enum exit_status
report_printed(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_STATUS_OK;
	return report_failure(
	    EXIT_STATUS_FAILED, "standard output: cannot be written");
}

enum exit_status
report_relay(int fd)
{
	char text[REPORT_MAX + 1];
	size_t len = 0;
	ssize_t n;

	while (len < REPORT_MAX) {
		n = read(fd, text + len, REPORT_MAX - len);
		if (n == 0 || (n == -1 && errno != EINTR))
			break;
		if (n > 0)
			len += (size_t)n;
	}
	if (len == 0)
		return report_failure(EXIT_STATUS_FAILED,
		    "the server died while it started; its log may say why");
	text[len] = '\0';
	report_print((enum exit_status)text[0], text + 1);
	return (enum exit_status)text[0];
}
