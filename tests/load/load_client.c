/* SPDX-License-Identifier: MIT */
/* load_client.c - see load_client.h. */

#include "tests/load/load_client.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/cli/client/connect.h"
#include "common/container.h"

#define SPARE_PARSERS 64u

static void
client_stop_watching(struct load_client *c)
{
	ev_io_stop(c->env->loop, &c->io);
}

/* The connection is over, env->group.end says why: tell the owner. */
static void
client_ended(struct load_client *c)
{
	client_stop_watching(c);
	c->env->events.ended(c, c->env->group.end.why);
}

/* The connection is over, for this reason of our own. */
static void
client_give_up(struct load_client *c, const char *what, const char *why)
{
	outcome_set(&c->env->group.end, CLIENT_UNREACHABLE, "%s%s", what, why);
	client_ended(c);
}

/* Watch for what the state asks for. */
static void
client_watch(struct load_client *c, int fd)
{
	bool is_writing = c->is_connecting || load_client_is_behind(c);
	int wanted = EV_READ | (is_writing ? EV_WRITE : 0);

	if (ev_is_active(&c->io) &&
	    (c->io.events & (EV_READ | EV_WRITE)) == wanted)
		return;
	ev_io_stop(c->env->loop, &c->io);
	ev_io_set(&c->io, fd, wanted);
	ev_io_start(c->env->loop, &c->io);
}

/* The connect(2) has come to an end: say who we are. */
static void
client_connected(struct load_client *c)
{
	int error = connect_result(c->io.fd);

	c->is_connecting = false;
	if (error != 0) {
		client_stop_watching(c);
		close(c->io.fd);
		client_give_up(c, "connect: ", strerror(error));
		return;
	}
	ws_client_begin(&c->ws, c->io.fd);
	client_watch(c, c->ws.fd);
}

static void
client_io_cb(struct ev_loop *loop, ev_io *w, int revents)
{
	struct load_client *c = container_of(w, struct load_client, io);

	(void)loop;
	if (c->is_connecting) {
		client_connected(c);
		return;
	}
	if (revents & EV_WRITE)
		ws_client_flush(&c->ws);
	if ((revents & EV_READ) && !ws_client_read(&c->ws))
		client_ended(c);
	else
		client_watch(c, c->ws.fd);
}

static void
client_opened_cb(struct ws_client *ws)
{
	struct load_client *c = container_of(ws, struct load_client, ws);

	c->env->events.opened(c);
}

static void
client_message_cb(
    struct ws_client *ws, enum ws_opcode opcode, const char *data, size_t len)
{
	struct load_client *c = container_of(ws, struct load_client, ws);

	(void)opcode;
	c->env->events.message(c, data, len);
}

void
load_client_env_init(struct load_client_env *env, struct ev_loop *loop,
    const struct load_target *target, const struct load_client_events *events,
    size_t message_max)
{
	const struct ws_client_events connection = {
		.opened = client_opened_cb,
		.message = client_message_cb,
	};

	char why[TLS_CLIENT_WHY_MAX]; /* nothing: it reads no file */

	memset(env, 0, sizeof(*env));
	env->loop = loop;
	env->target = target;
	env->events = *events;
	ws_client_group_init(&env->group, target->authority, target->path, NULL,
	    message_max, SPARE_PARSERS, &connection);
	if (!target->is_tls)
		return;
	env->group.tls = tls_client_context_new(NULL, true, why);
	env->group.host = "localhost";
}

/* Where client `number' comes from: many connections to this host come from
 * many of its addresses.  Returns false if from wherever the kernel likes. */
static bool
client_source(
    const struct load_target *target, unsigned number, struct sockaddr_in *from)
{
	const struct sockaddr_in *to = (const void *)&target->addr;

	if (number < LOAD_CLIENTS_PER_ADDRESS || to->sin_family != AF_INET ||
	    ntohl(to->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
		return false;
	*from = (struct sockaddr_in){ .sin_family = AF_INET };
	from->sin_addr.s_addr =
	    htonl(INADDR_LOOPBACK + number / LOAD_CLIENTS_PER_ADDRESS);
	return true;
}

void
load_client_connect(
    struct load_client *c, struct load_client_env *env, unsigned number)
{
	const struct load_target *target = env->target;
	struct sockaddr_in from;
	bool is_bound = client_source(target, number, &from);
	int fd;

	c->env = env;
	ev_init(&c->io, client_io_cb);
	ws_client_init(&c->ws, &env->group);
	fd = connect_begin((const struct sockaddr *)&target->addr,
	    target->addr_len, is_bound ? (const struct sockaddr *)&from : NULL,
	    sizeof(from));
	if (fd == -1) {
		client_give_up(c, "connect: ", strerror(errno));
		return;
	}
	c->is_connecting = true;
	client_watch(c, fd);
}

bool
load_client_is_idle(const struct load_client *c)
{
	return !c->is_connecting && c->ws.state == WS_CLIENT_NONE;
}

bool
load_client_is_behind(const struct load_client *c)
{
	return ws_client_is_behind(&c->ws);
}

void
load_client_send(struct load_client *c, const char *text, size_t len)
{
	bool was_behind = load_client_is_behind(c);

	ws_client_send(&c->ws, text, len);
	if (!was_behind)
		ws_client_flush(&c->ws);
	client_watch(c, c->ws.fd);
}

void
load_client_close(struct load_client *c)
{
	if (c->ws.state == WS_CLIENT_OPEN) {
		ws_client_close(&c->ws);
		client_watch(c, c->ws.fd);
		return;
	}
	client_stop_watching(c);
	if (c->is_connecting)
		close(c->io.fd);
	c->is_connecting = false;
	ws_client_drop(&c->ws);
	client_give_up(c, "given up", "");
}
