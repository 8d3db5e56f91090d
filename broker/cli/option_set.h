/* SPDX-License-Identifier: MIT */
/*
 * option_set.h - what each option does with its value; only for option_table.c.
 *
 * All put the value where it belongs, or say in `why' why not and return false.
 * Those of the first group do it for any member of their kind.
 */

#ifndef BROKER_CLI_OPTION_SET_H
#define BROKER_CLI_OPTION_SET_H

#include "broker/cli/option.h"

#define CLI_SETTER(name)                                        \
	bool name(struct cli *cli, const struct option *option, \
	    const char *value, char why[VALUES_WHY_MAX])

CLI_SETTER(cli_set_count);
CLI_SETTER(cli_set_size32);
CLI_SETTER(cli_set_size64);
CLI_SETTER(cli_set_seconds);
CLI_SETTER(cli_set_bool);
CLI_SETTER(cli_set_true);
CLI_SETTER(cli_set_false);
CLI_SETTER(cli_set_text);
CLI_SETTER(cli_set_base_path);
CLI_SETTER(cli_set_path);
CLI_SETTER(cli_set_texts);
CLI_SETTER(cli_set_paths);

CLI_SETTER(cli_set_name);
CLI_SETTER(cli_set_config);
CLI_SETTER(cli_set_listen);
CLI_SETTER(cli_set_admin);
CLI_SETTER(cli_set_tls_listen);
CLI_SETTER(cli_set_tls_min);
CLI_SETTER(cli_set_level);
CLI_SETTER(cli_set_restart_code);
CLI_SETTER(cli_set_compress);
CLI_SETTER(cli_set_user);
CLI_SETTER(cli_set_origin);
CLI_SETTER(cli_set_host);
CLI_SETTER(cli_set_trust_proxy);
CLI_SETTER(cli_set_pidfile);
CLI_SETTER(cli_set_cookie);
CLI_SETTER(cli_set_anonymous);
CLI_SETTER(cli_set_grant);

CLI_SETTER(cli_set_url);
CLI_SETTER(cli_set_since);
CLI_SETTER(cli_set_conn);
CLI_SETTER(cli_set_topic);
CLI_SETTER(cli_set_who);
CLI_SETTER(cli_set_reason);
CLI_SETTER(cli_set_message_key);

CLI_SETTER(cli_set_claim);
CLI_SETTER(cli_set_aud);
CLI_SETTER(cli_set_info);
CLI_SETTER(cli_set_alg);

#undef CLI_SETTER

/* option_set_cluster.c */
bool cli_set_cluster(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX]);
bool cli_set_cluster_name(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX]);
bool cli_set_cluster_down(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX]);
bool cli_set_cluster_order(struct cli *cli, const struct option *option,
    const char *value, char why[VALUES_WHY_MAX]);

#endif
