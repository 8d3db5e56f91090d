/* SPDX-License-Identifier: MIT */
/* option_same.c - see option_same.h. */

#include "broker/cli/option_same.h"

#include "broker/cli/option_set.h"
#include "common/address.h"

#include <string.h>

/* The member that an option sets. */
static const void *
same_member(const struct cli *cli, const struct option *option)
{
	return (const char *)cli + option->at;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_texts(const char *const *a, const char *const *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

static bool
same_addresses(const struct config_address *a, const struct config_address *b,
    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (a[i].len == 0 || b[i].len == 0
			? a[i].len != b[i].len
			: !address_equal(&a[i], &b[i]) ||
			      a[i].proxy != b[i].proxy ||
			      a[i].mode != b[i].mode ||
			      a[i].owner != b[i].owner ||
			      a[i].group != b[i].group)
			return false;
	return true;
}

/* Whether anybody says a value for the option. */
static bool
same_is_said(const struct cli *cli, const struct option *option)
{
	for (size_t i = 0; i < cli->settings_len; i++)
		if (cli->settings[i].option == option)
			return true;
	return false;
}

/* Of a list: as many, and the same. */
static bool
same_list(const struct option *option, const struct cli *cli_a,
    const struct cli *cli_b)
{
	const void *a = same_member(cli_a, option);
	const void *b = same_member(cli_b, option);
	const size_t *counts[2] = {
		(const void *)((const char *)cli_a + option->count_at),
		(const void *)((const char *)cli_b + option->count_at),
	};

	if (*counts[0] != *counts[1])
		return false;
	if (option->set == cli_set_trust_proxy)
		return memcmp(a, b, *counts[0] * sizeof(struct ip_network)) ==
		       0;
	return option->set == cli_set_listen ||
	               option->set == cli_set_tls_listen
	           ? same_addresses(a, b, *counts[0])
	           : same_texts(a, b, *counts[0]);
}

/* Bytes of the member of an option that is a number, or 0. */
static size_t
same_size(const struct option *option)
{
	if (option->set == cli_set_count || option->set == cli_set_size32 ||
	    option->set == cli_set_seconds ||
	    option->set == cli_set_restart_code ||
	    option->set == cli_set_compress)
		return sizeof(uint32_t);
	if (option->set == cli_set_size64)
		return sizeof(uint64_t);
	if (option->set == cli_set_bool || option->set == cli_set_true ||
	    option->set == cli_set_false || option->set == cli_set_tls_min ||
	    option->set == cli_set_cluster_down ||
	    option->set == cli_set_cluster_order)
		return sizeof(bool);
	if (option->set == cli_set_level)
		return sizeof(enum log_level);
	return 0;
}

bool
option_is_same(const struct option *option, const struct cli *cli_a,
    const struct cli *cli_b)
{
	const void *a = same_member(cli_a, option);
	const void *b = same_member(cli_b, option);
	size_t size = same_size(option);

	if (!same_is_said(cli_a, option) && !same_is_said(cli_b, option))
		return true;
	if (option->repeats)
		return same_list(option, cli_a, cli_b);
	if (size != 0)
		return memcmp(a, b, size) == 0;
	if (option->set == cli_set_name)
		return same_text(a, b);
	if (option->set == cli_set_admin)
		return same_addresses(a, b, 1);
	/* What is left is a string. */
	return same_text(*(const char *const *)a, *(const char *const *)b);
}
