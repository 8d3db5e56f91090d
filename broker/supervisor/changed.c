/* SPDX-License-Identifier: MIT */
/*
 * changed.c - a restart that finds other addresses in the configuration than
 * those whose sockets it has taken over.
 *
 * The sockets stay as they are, because clients that reconnect wait in their
 * queues; see state.h.
 */

#include "broker/supervisor/state.h"
#include "common/address.h"

/* Whether a socket with this address is what the configuration asks for, where
 * port 0 is any. */
static bool
changed_is(const struct config_address *has, const struct config_address *wants)
{
	struct config_address any = *has;

	if (address_wants_port(wants) && !address_is_unix(has))
		address_set_port(&any, 0);
	return address_equal(&any, wants);
}

/* Whether one of the addresses wanted is not there. */
static bool
changed_lacks(const struct listeners *listeners,
    const struct config_address *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool found = false;

		for (size_t n = 0; n < listeners->count; n++)
			found |= changed_is(&listeners->address[n], &wanted[i]);
		if (!found)
			return true;
	}
	return listeners->count != count;
}

/* The address of the configuration that a socket is for; NULL: none any more. */
static const struct config_address *
changed_wanted(const struct supervisor *s, size_t at)
{
	const struct config_address *has = &s->listeners.address[at];
	const struct config *config = s->config;

	/* With port 0, addresses are told apart by their order alone. */
	if (at < config->listen_count && changed_is(has, &config->listen[at]))
		return &config->listen[at];
	for (size_t i = 0; i < config->listen_count; i++)
		if (address_equal(has, &config->listen[i]))
			return &config->listen[i];
	return NULL;
}

void
supervisor_mark_tls_listeners(struct supervisor *s)
{
	for (size_t i = 0; i < s->listeners.count; i++) {
		const struct config_address *wanted = changed_wanted(s, i);

		s->listeners.address[i].tls = wanted != NULL && wanted->tls;
		s->listeners.address[i].proxy = wanted != NULL && wanted->proxy;
	}
}

void
supervisor_tell_changed_addresses(const struct supervisor *s)
{
	const struct config *config = s->config;
	size_t admins = config->admin.len != 0;

	if (changed_lacks(&s->listeners, config->listen, config->listen_count))
		log_warnx("--listen has changed: a restart keeps the sockets; "
			  "stop and start for the new ones");
	if (s->admin.count > 0 && admins > 0 &&
	    changed_lacks(&s->admin, &config->admin, admins))
		log_warnx("--admin has changed: a restart keeps the socket; "
			  "stop and start for the new one");
}
