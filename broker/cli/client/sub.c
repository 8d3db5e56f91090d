/* SPDX-License-Identifier: MIT */
/*
 * sub.c - see sub.h.
 *
 * One loop waits for the server, standard output, signals and the time.  When
 * standard output is slow no more is read from the server; asked with
 * overflow=close, it then cuts us off rather than drop messages, and we come
 * back at once and resume from its ring.  So a slow reader loses nothing that
 * the ring still has.
 */

#include "broker/cli/client/sub.h"

#include "broker/cli/client/find.h"
#include "broker/cli/client/sub_ask.h"
#include "broker/cli/client/sub_presence.h"
#include "broker/cli/client/sub_said.h"
#include "broker/cli/client/sub_state.h"
#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* There was no connection for a while: what a pattern missed meanwhile is not
 * known. */
static void
sub_tell_patterns(struct sub *s)
{
	for (size_t i = 0; i < s->topics.len; i++)
		if (s->topics.all[i].is_pattern)
			sub_note(s, "%s: messages may be missing",
			    s->topics.all[i].name);
}

static void
sub_opened(void *owner)
{
	struct sub *s = owner;

	if (s->is_cut)
		sub_note(s, "%s: connected%s", hosts_here(&s->hosts)->url.text,
		    s->has_been ? " again" : "");
	if (s->has_been)
		sub_tell_patterns(s);
	s->is_cut = false;
	s->has_been = true;
	for (size_t i = 0; i < s->topics.len; i++)
		sub_ask(s, i);
	for (size_t i = 0; s->cli->client.wants_presence && i < s->topics.len;
	     i++)
		sub_presence_ask(s, i);
}

/* The connection has ended: come back, or give up. */
static void
sub_cut(struct sub *s)
{
	const struct outcome *end = client_end(&s->client);
	bool is_wanted = s->has_been || hosts_have_untried(&s->hosts);

	for (size_t i = 0; i < s->topics.len; i++)
		resume_point_cut(&s->topics.all[i].place);
	sub_output_turn(&s->output, 0);
	s->is_unfit = false;
	if (!is_wanted || !client_may_come_back(&s->client)) {
		sub_leave(
		    s, client_report(&hosts_here(&s->hosts)->url, end, ""));
		return;
	}
	s->again_ms = client_again_ms(&s->client);
	if ((!s->has_been || !s->is_cut) && !retry_at_once(end))
		client_report_next(&s->hosts, end);
	s->is_cut |= !retry_at_once(end);
}

/* Time is up. */
static void
sub_timed_out(struct sub *s)
{
	const struct cli_client_options *options = &s->cli->client;

	if (options->count == 0) {
		sub_leave(s, EXIT_STATUS_OK);
		return;
	}
	sub_note(s, "%" PRIu64 " of %" PRIu32 " messages came within %g s",
	    s->printed, options->count, (double)options->timeout_ms / 1000);
	sub_leave(s, EXIT_STATUS_FAILED);
}

/* Whether nothing is left to be waited for. */
static bool
sub_is_over(const struct sub *s)
{
	bool is_written = s->output.state != SUB_OUTPUT_OK ||
	                  sub_output_waiting(&s->output) == 0;

	if (!s->is_leaving)
		return false;
	if (s->until_ms != 0 && clock_monotonic_ms() >= s->until_ms)
		return true;
	return is_written &&
	       (s->until_ms == 0 || s->client.state == CLIENT_DOWN);
}

/* A signal: leave; a second one: at once. */
static void
sub_signalled(struct sub *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) != sizeof(info))
		return;
	s->is_told = true;
	if (s->is_leaving)
		s->until_ms = clock_monotonic_ms();
	sub_leave(s, EXIT_STATUS_OK);
}

/* Standard output can be written no more. */
static void
sub_mute(struct sub *s)
{
	if (s->output.state == SUB_OUTPUT_FAILED && s->status == EXIT_STATUS_OK)
		s->status = report_failure(EXIT_STATUS_FAILED,
		    "standard output: %s", strerror(s->output.error));
	sub_leave(s, s->status);
}

/* The server has had its time to say goodbye: what is complete may still take
 * its own to be read. */
static void
sub_linger(struct sub *s)
{
	if (s->is_complete && !s->is_told &&
	    clock_monotonic_ms() >= s->until_ms)
		s->until_ms = 0;
}

/* Output that nobody has taken by now is lost; say so, unless a signal ended
 * us, whose sender knows. */
static void
sub_tell_loss(struct sub *s)
{
	size_t left = sub_output_waiting(&s->output);

	if (left > 0 && s->output.state == SUB_OUTPUT_OK && !s->is_told &&
	    s->status == EXIT_STATUS_OK)
		s->status = report_failure(EXIT_STATUS_FAILED,
		    "standard output: nobody has read the last %zu bytes",
		    left);
}

/* Wait, then do what there is to do. */
static void
sub_turn(struct sub *s)
{
	bool is_reading = sub_output_waiting(&s->output) < SUB_OUTPUT_FULL;
	struct pollfd fds[3];

	client_poll(&s->client, &fds[0], is_reading);
	sub_output_poll(&s->output, &fds[1]);
	fds[2] = (struct pollfd){ .fd = s->signals, .events = POLLIN };
	if (poll(fds, 3,
		client_patience(&s->client, s->until_ms,
		    s->is_leaving ? 0 : s->again_ms)) == -1)
		return; /* EINTR, or memory for a moment: look again */
	if (fds[2].revents != 0)
		sub_signalled(s);
	if (s->client.state != CLIENT_DOWN) {
		client_turn(&s->client, fds[0].revents);
		if (s->is_unfit && s->client.state == CLIENT_OPEN)
			client_leave(
			    &s->client, "the host is cut off from its cluster");
		if (s->client.state == CLIENT_DOWN && !s->is_leaving)
			sub_cut(s);
	}
	sub_output_turn(&s->output, fds[1].revents);
	if (s->output.state != SUB_OUTPUT_OK)
		sub_mute(s);
	if (s->is_leaving) {
		sub_linger(s);
		return;
	}
	if (s->until_ms != 0 && clock_monotonic_ms() >= s->until_ms) {
		sub_timed_out(s);
	} else if (s->again_ms != 0 && clock_monotonic_ms() >= s->again_ms) {
		s->again_ms = 0;
		client_connect(&s->client);
		if (s->client.state == CLIENT_DOWN)
			sub_cut(s);
	}
}

/* Take signals as something to poll for, instead of dying of them.  Returns
 * false, with errno set, if that cannot be had. */
static bool
sub_hold_signals(struct sub *s)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals != -1;
}

static enum exit_status
sub_run(struct sub *s)
{
	const struct client_events events = { sub_opened, sub_said };

	if (!sub_hold_signals(s))
		return report_failure(
		    EXIT_STATUS_FAILED, "signalfd: %s", strerror(errno));
	client_init(&s->client, &s->hosts, s->tls, &s->cli->client, &events, s);
	sub_output_init(&s->output, STDOUT_FILENO);
	if (s->cli->client.timeout_ms != 0)
		s->until_ms = clock_monotonic_ms() + s->cli->client.timeout_ms;
	s->again_ms = clock_monotonic_ms();
	while (!sub_is_over(s))
		sub_turn(s);
	sub_tell_loss(s);
	client_fini(&s->client);
	sub_output_fini(&s->output);
	close(s->signals);
	return s->status;
}

enum exit_status
cli_sub(const struct cli *cli)
{
	struct sub s = { .cli = cli };
	enum exit_status status = client_find(cli, &s.hosts, &s.tls);

	if (status != EXIT_STATUS_OK) {
		hosts_fini(&s.hosts);
		return status;
	}
	for (size_t i = 0; i < s.hosts.len; i++)
		url_add(&s.hosts.all[i].url, "overflow", "close");
	sub_topics_warn(cli);
	if (!sub_topics_init(&s.topics, cli))
		status =
		    report_failure(EXIT_STATUS_USAGE, "a topic is not UTF-8");
	else if (s.topics.patterns > 0 &&
		 (cli->client.history > 0 || cli->client.has_since))
		status = report_failure(EXIT_STATUS_USAGE,
		    "--history and --since are of topics, not of patterns");
	else if (s.topics.patterns > 0 && cli->client.wants_presence)
		status = report_failure(EXIT_STATUS_USAGE,
		    "--presence is of topics, not of patterns");
	else
		status = sub_run(&s);
	sub_topics_fini(&s.topics);
	hosts_fini(&s.hosts);
	tls_client_context_free(s.tls);
	return status;
}
