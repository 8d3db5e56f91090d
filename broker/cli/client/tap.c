/* SPDX-License-Identifier: MIT */
/*
 * tap.c - see tap.h.
 *
 * Nobody wakes a reader of the segment, so it looks again after a while.  When
 * standard output is slow this blocks in it, which is what a signal then ends;
 * the ring does not wait, and what it overwrites meanwhile is told as missing.
 */

#include "broker/cli/client/tap.h"

#include "broker/cli/absent.h"
#include "broker/cli/client/sub_print.h"
#include "broker/cli/instance.h"
#include "broker/status/follow.h"
#include "common/clock.h"
#include "common/pattern.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TAP_LOOK_MS   10  /* between two looks at a ring with nothing new */
#define TAP_SERVER_MS 250 /* between two looks at whether the server lives */

struct tap {
	const struct cli *cli;
	struct segment seg;
	struct follow follow;
	struct buf buf;
	uint64_t printed;  /* messages */
	uint64_t look_ms;  /* for the server, monotonic clock */
	uint64_t until_ms; /* likewise; 0: no end */
	bool is_complete;  /* as many as were wanted */
};

static bool
tap_wants(const struct tap *tap, const struct ring_record *record)
{
	for (size_t i = 0; i < tap->cli->words_len; i++) {
		const char *pattern = tap->cli->words[i];

		if (pattern_matches(pattern, strlen(pattern), record->name,
			record->name_len))
			return true;
	}
	return false;
}

static void
tap_put_object(struct buf *buf, const struct ring_record *record)
{
	buf_puts(buf, "{\"topic\":");
	buf_json_string(buf, record->name, record->name_len);
	if ((record->flags & RECORD_EPHEMERAL) != 0)
		buf_puts(buf, ",\"ephemeral\":true");
	else
		buf_printf(buf, ",\"seq\":%" PRIu64, record->seq);
	buf_printf(buf,
	    ",\"time\":%" PRIu64 ",\"worker\":%u,\"conn\":%" PRIu64
	    ",\"message\":",
	    record->time_ms, record->worker, record->conn);
	sub_put_json(buf, record->body, record->body_len);
	buf_puts(buf, "}");
}

static void
tap_message(void *owner, const struct ring_record *record)
{
	struct tap *tap = owner;

	/* Who comes and who leaves is no message. */
	if (tap->is_complete || (record->flags & RECORD_MEMBERS) != 0 ||
	    !tap_wants(tap, record))
		return;
	if (tap->cli->json) {
		tap_put_object(&tap->buf, record);
	} else {
		buf_add(&tap->buf, record->name, record->name_len);
		buf_puts(&tap->buf, " ");
		sub_put_body(&tap->buf, record->body, record->body_len);
	}
	buf_puts(&tap->buf, "\n");
	tap->is_complete = ++tap->printed == tap->cli->client.count;
}

static void
tap_missed(void *owner, const char *topic, uint8_t topic_len, uint64_t from,
    uint64_t to)
{
	struct resume_point_gap gap = { true, from, to };
	char sentence[SUB_SENTENCE_MAX], name[LAYOUT_TOPIC_NAME_MAX + 1];
	struct ring_record of = { .name = topic, .name_len = topic_len };
	struct tap *tap = owner;

	if (!tap_wants(tap, &of))
		return;
	snprintf(name, sizeof(name), "%.*s", topic_len, topic);
	report_note("%s", sub_sentence(sentence, name, &gap, "slow"));
}

/* Whether the server or what is left of it lives.  If it has another ring by
 * now, go on with that, from its beginning. */
static bool
tap_look_for_server(struct tap *tap)
{
	const struct config *config = &tap->cli->config;
	struct lockfile_holders holders;
	char error[INSTANCE_ERROR_MAX];
	struct segment seg;

	tap->look_ms = clock_monotonic_ms() + TAP_SERVER_MS;
	if (!lockfile_look(config->lockfile, &holders, error))
		return true; /* the file may be just being made */
	if (holders.supervisor == 0)
		return holders.worker != 0;
	if (!instance_attach(&seg, config->name, &holders, error))
		return true; /* it is just starting */
	if (strcmp(seg.header->epoch, tap->seg.header->epoch) == 0) {
		segment_close(&seg);
		return true;
	}
	report_note("%s has a new ring", config->name);
	follow_end(&tap->follow);
	segment_close(&tap->seg);
	tap->seg = seg;
	follow_begin(&tap->follow, &tap->seg, true);
	return true;
}

/* Write what was put together. */
static enum exit_status
tap_flush(struct tap *tap)
{
	fwrite(tap->buf.at, 1, tap->buf.len, stdout);
	buf_reset(&tap->buf);
	return report_printed();
}

/* Read and print all that there is. */
static enum exit_status
tap_read(struct tap *tap)
{
	const struct follow_events events = { tap_message, tap_missed, tap };
	enum exit_status printed = EXIT_STATUS_OK;
	enum follow_status status = FOLLOW_OK;

	while (printed == EXIT_STATUS_OK && status == FOLLOW_OK &&
	       !tap->is_complete) {
		status = follow_read(&tap->follow, &events);
		printed = tap_flush(tap);
	}
	if (printed == EXIT_STATUS_OK && status == FOLLOW_CORRUPT)
		return report_failure(EXIT_STATUS_FAILED,
		    "%s: its ring is damaged", tap->cli->config.name);
	return printed;
}

static bool
tap_is_over(const struct tap *tap)
{
	return tap->is_complete ||
	       (tap->until_ms != 0 && clock_monotonic_ms() >= tap->until_ms);
}

static enum exit_status
tap_run(struct tap *tap)
{
	const struct timespec moment = { 0, TAP_LOOK_MS * 1000000L };
	enum exit_status status;
	bool lives = true;

	for (;;) {
		status = tap_read(tap);
		if (status != EXIT_STATUS_OK || tap_is_over(tap))
			return status;
		if (!lives)
			return cli_not_running(tap->cli, "");
		nanosleep(&moment, NULL);
		/* What a server that ends has published last is still read. */
		if (clock_monotonic_ms() >= tap->look_ms)
			lives = tap_look_for_server(tap);
	}
}

/* Whether all words are patterns; false, having said which is not. */
static bool
tap_check(const struct cli *cli)
{
	const char *why;

	for (size_t i = 0; i < cli->words_len; i++) {
		const char *pattern = cli->words[i];

		if (pattern_valid(pattern, strlen(pattern), &why))
			continue;
		report_failure(EXIT_STATUS_USAGE, "%s: %s", pattern, why);
		return false;
	}
	return true;
}

/* Map the segment of the server, or of workers that are left of one. */
static enum exit_status
tap_attach(struct tap *tap)
{
	const struct config *config = &tap->cli->config;
	struct lockfile_holders holders;
	char error[INSTANCE_ERROR_MAX];

	if (!lockfile_look(config->lockfile, &holders, error))
		return report_failure(EXIT_STATUS_FAILED, "%s", error);
	if (holders.supervisor == 0 && holders.worker == 0)
		return cli_not_running(tap->cli, "");
	if (!instance_attach(&tap->seg, config->name, &holders, error))
		return report_failure(
		    EXIT_STATUS_FAILED, "%s %s", config->name, error);
	return EXIT_STATUS_OK;
}

enum exit_status
cli_tap(const struct cli *cli)
{
	struct tap tap = { .cli = cli };
	enum exit_status status;

	if (!tap_check(cli))
		return EXIT_STATUS_USAGE;
	status = tap_attach(&tap);
	if (status != EXIT_STATUS_OK)
		return status;
	buf_init(&tap.buf);
	follow_begin(&tap.follow, &tap.seg, false);
	if (cli->client.timeout_ms != 0)
		tap.until_ms = clock_monotonic_ms() + cli->client.timeout_ms;
	status = tap_run(&tap);
	follow_end(&tap.follow);
	segment_close(&tap.seg);
	buf_fini(&tap.buf);
	return status;
}
