/* SPDX-License-Identifier: MIT */
/* status_all.c - see status_all.h. */

#include "broker/cli/status_all.h"

#include "broker/status/instances.h"
#include "broker/status/overview.h"
#include "common/buf.h"

#include <stdio.h>
#include <string.h>

/* What of an instance can be told, whoever asks. */
struct listed {
	char user[INSTANCE_USER_MAX];
	const char *state;
	int pid;          /* 0: unknown */
	unsigned workers; /* likewise */
	char urls[sizeof(((struct layout_header *)0)->run.urls) + 1];
};

static struct listed
status_look(const struct instance *one)
{
	const struct layout_header *header = one->seg.header;
	struct listed listed = { .state = "unknown" };

	instance_user(one->owner, listed.user);
	if (!one->is_alive)
		listed.state =
		    header != NULL && atomic_load(&header->run.kept) == 1
			? "kept"
			: "killed";
	else if (header != NULL)
		listed.state = overview_state(header);
	if (header == NULL || !one->is_alive)
		return listed;
	listed.pid = atomic_load(&header->run.supervisor);
	listed.workers = segment_workers(&one->seg);
	memcpy(listed.urls, header->run.urls, sizeof(listed.urls) - 1);
	return listed;
}

static void
status_print_line(const struct instance *one, bool is_first)
{
	struct listed listed = status_look(one);

	if (is_first)
		printf("%-16s %-12s %8s %-10s %7s  %s\n", "instance", "user",
		    "pid", "state", "workers", "address");
	printf("%-16s %-12s %8d %-10s %7u  %s\n", one->name, listed.user,
	    listed.pid, listed.state, listed.workers, listed.urls);
}

static void
status_print_object(const struct instance *one, bool is_first)
{
	struct listed listed = status_look(one);
	struct buf buf;

	buf_init(&buf);
	buf_puts(&buf, is_first ? "[\n{\"instance\":" : ",\n{\"instance\":");
	buf_json_string(&buf, one->name, strlen(one->name));
	buf_puts(&buf, ",\"user\":");
	buf_json_string(&buf, listed.user, strlen(listed.user));
	buf_printf(&buf, ",\"pid\":%d,\"state\":\"%s\",\"workers\":%u",
	    listed.pid, listed.state, listed.workers);
	buf_puts(&buf, ",");
	overview_json_urls(&buf, listed.urls);
	buf_puts(&buf, "}");
	fwrite(buf.at, 1, buf.len, stdout);
	buf_fini(&buf);
}

enum exit_status
cli_status_all(const struct cli *cli)
{
	struct instances all;
	struct instance one;
	enum exit_status status;
	bool is_first = true;

	instances_open(&all, &one);
	while (instances_next(&all, &one)) {
		if (cli->json)
			status_print_object(&one, is_first);
		else
			status_print_line(&one, is_first);
		is_first = false;
	}
	instances_close(&all, &one);
	if (cli->json)
		printf(is_first ? "[]\n" : "\n]\n");
	status = report_printed();
	if (status != EXIT_STATUS_OK || !is_first)
		return status;
	if (!cli->json)
		report_note("no instance is running on this host");
	return EXIT_STATUS_NOT_RUNNING;
}
