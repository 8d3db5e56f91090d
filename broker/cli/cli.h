/* SPDX-License-Identifier: MIT */
/*
 * cli.h - a command line, read, for the code that carries it out.
 *
 * options.h fills it in; the table of options (option_table.h) says which
 * option goes where.
 */

#ifndef BROKER_CLI_CLI_H
#define BROKER_CLI_CLI_H

#include "common/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a server listens unless told otherwise, on loopback; and the one that
 * pub, sub and topics talk to. */
#define CLI_PORT_DEFAULT "8000"
#define CLI_ADMIN_PORT   8001 /* where no public address has a port */
#define CLI_URL_DEFAULT  "ws://localhost:" CLI_PORT_DEFAULT "/ws"

#define CLI_CONF_DIR  "/etc/pubsubd" /* NAME.conf is there */
#define CLI_CONF_NONE "none"         /* --config: no file */

#define CLI_ERROR_MAX 512 /* bytes of a reason */
#define CLI_EPOCH_MAX 64  /* bytes of an epoch, NUL included; likewise: */
#define CLI_POS_MAX   64  /* of a place in a cluster's log */
#define CLI_URLS_MAX  16  /* --url */

#define CLI_TOKEN_AUD_MAX   8    /* --aud */
#define CLI_MESSAGE_KEY_MAX 224u /* bytes of pub --key */

enum cli_command {
	CLI_RUN = 0,
	CLI_START,
	CLI_STOP,
	CLI_RESTART,
	CLI_UPGRADE,
	CLI_RELOAD,
	CLI_STATUS,
	CLI_TOP,
	CLI_TAP,
	CLI_INSPECT,
	CLI_CONNS,
	CLI_KICK,
	CLI_CLUSTER,
	CLI_CHECK,
	CLI_PUB,
	CLI_SUB,
	CLI_TOPICS,
	CLI_TOKEN,
	CLI_VERSION,
	CLI_HELP,
};

/* The commands that read the configuration file: a bit for each. */
#define CLI_CONFIGURED \
	(1u << CLI_RUN | 1u << CLI_START | 1u << CLI_CHECK | 1u << CLI_CLUSTER)

struct option;

/* Who says a value; a later one outweighs those before it. */
enum cli_origin {
	CLI_DEFAULT = 0,
	CLI_FILE,
	CLI_ENVIRONMENT,
	CLI_FLAG,
};

/* A value that somebody says. */
struct cli_setting {
	const struct option *option;
	const char *value;
	enum cli_origin origin;
	unsigned line; /* of the file */
};

/* Where the file says something of topics; line 0: nowhere. */
struct cli_topic_said {
	unsigned line;
	const char *value;
};

/* A section of config.policies. */
struct cli_topic {
	unsigned line;
	struct cli_topic_said said[POLICY_KEYS];
};

/* The options of pub, sub and topics, some of which tap knows, too. */
struct cli_client_options {
	const char *urls[CLI_URLS_MAX];
	size_t url_count;    /* 0: the default one, or that of an instance: */
	bool is_named;       /* by --name or --pidfile, on this host */
	bool is_whole;       /* pub: standard input is one message */
	bool retries;        /* pub: again what was not acked */
	bool is_ephemeral;   /* pub: kept in no history */
	bool retains;        /* pub: as the topic's last value */
	bool wants_last;     /* sub: begin with it */
	uint32_t every_ms;   /* sub: one message in that time; 0: all */
	uint32_t ttl_s;      /* pub: 0: for ever */
	const char *key;     /* pub: NULL: none */
	bool wants_presence; /* sub: who is there, comes and leaves */
	bool is_verbose;     /* sub: topics too */
	bool has_since;      /* sub: */
	char since_epoch[CLI_EPOCH_MAX];
	uint64_t since_seq;
	char since_pos[CLI_POS_MAX]; /* "": not said */
	uint32_t history;            /* sub: messages; 0: none */
	uint32_t count;              /* sub, tap: messages; 0: no end */
	uint32_t timeout_ms;         /* 0: none */
	const char *prefix;          /* topics; or NULL */
	const char *ca_file; /* whom to trust; NULL: whom the system does */
	/* Where the credential is: at most one of these, the others NULL. */
	const char *token_path;
	const char *token_variable; /* of the environment */
	const char *key_path;
};

/* The options of token alone.  Text is UTF-8; NULL: not said. */
struct cli_token_options {
	const char *key_path; /* absolute */
	const char *alg;
	const char *kid;
	const char *sub;
	const char *info; /* JSON */
	const char *iss;
	const char *aud[CLI_TOKEN_AUD_MAX];
	size_t aud_count;
	const char
	    *grants[CONFIG_GRANTS_MAX]; /* as grants_add_text() has them */
	size_t grant_count;
	uint32_t expires_s;
};

/* The options of those that look into a running server. */
struct cli_looking_options {
	bool is_once;         /* top: print, and end */
	uint32_t interval_ms; /* top: between two looks */
};

/* The options of conns and kick. */
struct cli_asking_options {
	unsigned conn_worker; /* of the connection: */
	uint64_t conn_number; /* 0: any */
	const char *topic;    /* NULL: any */
	const char *user;     /* likewise */
	uint32_t code;        /* kick: to close with */
	const char *reason;   /* kick */
};

struct cli {
	enum cli_command command;
	struct config config;
	/* --tls-listen, until all options are read. */
	struct config_address tls_listen[CONFIG_LISTEN_MAX];
	size_t tls_listen_count;
	size_t tls_cert_count, tls_key_count; /* in config, until checked */
	const char *last_path; /* of a repeatable option, as it was taken */
	bool default_pidfile;  /* its directory is ours to make; likewise: */
	bool default_log;
	bool default_admin; /* the port after those of --listen */
	bool json;
	bool all;              /* status: of all instances */
	const char *conf_path; /* absolute; "none"; NULL: the default one */
	bool has_conf;         /* the file at conf_path was read */
	struct cli_client_options client;
	struct cli_token_options token;
	struct cli_looking_options looking;
	struct cli_asking_options asking;
	const char **words; /* behind the command: topics, a message */
	size_t words_len;
	/* The same call for a later execv(2): paths are absolute, so that the
	 * working directory does not matter.  Ends with NULL. */
	char **argv;

	/* Whatever was said and is valid, also what something else outweighs:
	 * in the order of their origins. */
	struct cli_setting *settings;
	size_t settings_len;
	struct cli_topic topics[POLICIES_MAX]; /* likewise, by section */
	char **faults; /* whatever is wrong, a line each */
	size_t faults_len;
	void **owned; /* what the strings above and in config point into */
	size_t owned_len;
};

#endif
