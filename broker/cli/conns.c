/* SPDX-License-Identifier: MIT */
/* conns.c - see conns.h. */

#include "broker/cli/conns.h"

#include "broker/cli/asking.h"
#include "broker/cli/conns_table.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

/* The question that the options put. */
static void
conns_question(const struct cli *cli, struct ask_question *question)
{
	const struct cli_asking_options *options = &cli->asking;

	memset(question, 0, sizeof(*question));
	question->conn = options->conn_number;
	if (options->topic != NULL) {
		question->has_topic = 1;
		question->topic_len = (uint8_t)strlen(options->topic);
		memcpy(question->topic, options->topic, question->topic_len);
	}
	if (options->user != NULL) {
		question->has_user = 1;
		question->user_len = (uint8_t)strlen(options->user);
		memcpy(question->user, options->user, question->user_len);
	}
}

/* The workers that can have such connections. */
static uint64_t
conns_targets(const struct cli *cli)
{
	return cli->asking.conn_number != 0
	           ? UINT64_C(1) << cli->asking.conn_worker
	           : UINT64_MAX;
}

struct conns {
	const struct cli *cli;
	struct conns_table table;
	struct buf list; /* of a page, as an array */
	bool is_first;   /* page with something in it */
};

/* Print what was put into the list.  Returns false if that is none. */
static bool
conns_print(struct conns *conns)
{
	const struct buf *list = &conns->list;
	const char *why;
	size_t where;

	if (json_check(list->at, list->len, &where, &why) != JSON_OK)
		return false;
	if (!conns->cli->json)
		return conns_table_add(&conns->table, list->at, list->len);
	printf("%s\n%.*s", conns->is_first ? "[" : ",", (int)list->len - 2,
	    list->at + 1);
	conns->is_first = false;
	return true;
}

static void
conns_answer(
    void *owner, unsigned worker, const struct ask_head *head, char *text)
{
	struct conns *conns = owner;

	if (head->count == 0)
		return;
	buf_reset(&conns->list);
	buf_puts(&conns->list, "[");
	buf_add(&conns->list, text, head->text_len);
	buf_puts(&conns->list, "]");
	if (!conns_print(conns))
		report_note(
		    "worker %u: its answer is no list of connections", worker);
}

static enum exit_status
conns_list(struct asking *asking, struct ask_question *question)
{
	struct conns conns = { .cli = asking->cli, .is_first = true };
	bool is_json = asking->cli->json;
	enum exit_status status;

	buf_init(&conns.list);
	if (!is_json)
		conns_table_begin(&conns.table);
	asking_ask(
	    asking, question, conns_targets(asking->cli), conns_answer, &conns);
	if (is_json)
		printf(conns.is_first ? "[]\n" : "\n]\n");
	else
		conns_table_end(&conns.table);
	buf_fini(&conns.list);
	status = report_printed();
	return status == EXIT_STATUS_OK && asking->hung > 0 ? EXIT_STATUS_FAILED
	                                                    : status;
}

enum exit_status
cli_conns(const struct cli *cli)
{
	struct ask_question question;
	enum exit_status status;
	struct asking asking;

	status = asking_open(&asking, cli);
	if (status != EXIT_STATUS_OK)
		return status;
	conns_question(cli, &question);
	question.kind = ASK_CONNECTIONS;
	status = conns_list(&asking, &question);
	asking_close(&asking);
	return status;
}

static void
kick_count(
    void *owner, unsigned worker, const struct ask_head *head, char *text)
{
	uint64_t *count = owner;

	(void)worker;
	(void)text;
	*count += head->count;
}

enum exit_status
cli_kick(const struct cli *cli)
{
	struct ask_question question;
	enum exit_status status;
	struct asking asking;
	uint64_t count = 0;

	status = asking_open(&asking, cli);
	if (status != EXIT_STATUS_OK)
		return status;
	conns_question(cli, &question);
	question.kind = ASK_KICK;
	question.code = cli->asking.code;
	question.reason_len = (uint8_t)strlen(cli->asking.reason);
	memcpy(question.reason, cli->asking.reason, question.reason_len);
	asking_ask(&asking, &question, conns_targets(cli), kick_count, &count);
	printf("pubsubd %s: %llu connection%s closed\n", cli->config.name,
	    (unsigned long long)count, count == 1 ? "" : "s");
	status = report_printed();
	if (status == EXIT_STATUS_OK && asking.hung > 0)
		status = EXIT_STATUS_FAILED;
	else if (status == EXIT_STATUS_OK && count == 0)
		status = report_failure(EXIT_STATUS_FAILED,
		    "%s has no such connection", cli->config.name);
	asking_close(&asking);
	return status;
}
