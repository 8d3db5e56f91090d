/* SPDX-License-Identifier: MIT */
/*
 * config.h - what an operator can set, as plain values.
 *
 * Filled by broker/cli/options.c, constant afterwards, inherited by every
 * worker through fork(2).  All strings are owned by the process until it ends.
 */

#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include "common/ip.h"
#include "common/log.h"
#include "common/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define CONFIG_LISTEN_MAX         16 /* --listen addresses */
#define CONFIG_ALLOW_MAX          64 /* --allow-origin, --allow-host: each */
#define CONFIG_PROXY_MAX          64 /* --trust-proxy networks */
#define CONFIG_TLS_MAX            16 /* --tls-cert with --tls-key */
#define CONFIG_JWT_KEYS_MAX       16 /* --jwt-key */
#define CONFIG_JWT_AUD_MAX        8  /* --jwt-aud */
#define CONFIG_GRANTS_MAX         64 /* --anonymous, --grant: each */
#define CONFIG_WORKERS_MAX        64 /* bits of an interest word */
#define CONFIG_CLUSTER_MAX        16 /* --cluster servers */
#define CONFIG_NAME_MAX           32 /* bytes of an instance name */
#define CONFIG_DRAIN_MAX_MS       (3600 * 1000)
#define CONFIG_LEAVE_DELAY_MAX_MS (3600 * 1000)

/* Bytes that the kernel takes for a connection's peer beyond what is on its way
 * to it, and how long after --stall-timeout it gives up by itself. */
#define CONFIG_UNSENT_MAX (64 * 1024)
#define CONFIG_GIVE_UP_MS (60 * 1000)

/* Room that any message may need beyond its text on its way in: a frame may
 * be this much longer than --max-message (the envelope around the message). */
#define CONFIG_ENVELOPE_SLACK 1024

/* How deep a message may be nested: what it is told in (an answer with a topic's
 * past is an object with an array of objects) then stays within JSON_DEPTH_MAX,
 * which is what readers of other makes may take. */
#define CONFIG_MESSAGE_DEPTH 61

/* In the place of a length from which WebSocket messages are compressed: none
 * is. */
#define CONFIG_COMPRESS_OFF UINT32_MAX

struct config_address {
	struct sockaddr_storage addr;
	socklen_t len;
	bool tls;    /* of --tls-listen */
	bool proxy;  /* a PROXY header comes first */
	bool dual;   /* [::] for IPv4 as well */
	mode_t mode; /* of a unix socket's file, and the next */
	uid_t owner; /* -1: whoever makes it */
	gid_t group; /* likewise */
};

struct config {
	char name[CONFIG_NAME_MAX + 1]; /* --name: [A-Za-z0-9._-]+ */
	struct config_address listen[CONFIG_LISTEN_MAX];
	size_t listen_count;                  /* those for TLS come last */
	const char *tls_cert[CONFIG_TLS_MAX]; /* absolute; each with its key */
	const char *tls_key[CONFIG_TLS_MAX];
	size_t tls_count;            /* of both; 0: no TLS */
	bool tls_only_1_3;           /* --tls-min */
	struct config_address admin; /* len 0: none */
	unsigned workers;            /* 1..CONFIG_WORKERS_MAX */

	const char *root;     /* directory of the static files, absolute */
	const char *log_path; /* NULL: stderr */
	const char *pidfile;  /* absolute */
	const char *lockfile; /* absolute; from the name, no option */
	enum log_level log_level;
	const char *user; /* --user, NULL: stay */
	uid_t user_uid;   /* of user, likewise its group */
	gid_t user_gid;
	bool sandbox; /* --no-sandbox clears it */
	bool respawn; /* --no-respawn (for tests) clears it */

	/* Other hosts; without a server of theirs there are none. */
	const char *cluster[CONFIG_CLUSTER_MAX]; /* nats://, tls:// */
	size_t cluster_count;
	const char *cluster_name;   /* of the log */
	const char *cluster_creds;  /* absolute; NULL: none, like the next */
	const char *cluster_tls_ca; /* absolute */
	uint32_t cluster_wait_ms; /* for the log, before clients are refused */
	uint32_t cluster_outbox;  /* percent of the ring that may wait for it */
	bool cluster_down_local;  /* they are served without it instead */
	bool cluster_order_local; /* they are served without it always */

	bool keep_ring;                 /* over stop and start */
	uint64_t ring_size;             /* bytes */
	uint32_t max_topics;            /* directory slots */
	uint32_t max_members;           /* users in topics */
	uint64_t retain_size;           /* bytes for last values */
	uint32_t dedup_keys;            /* of publishes, remembered at a time */
	uint32_t dedup_window_ms;       /* how long */
	uint32_t max_message;           /* bytes of a message's JSON text */
	uint32_t max_conns;             /* per worker; 0: from RLIMIT_NOFILE */
	uint32_t max_conns_per_address; /* per worker; loopback exempt */
	uint32_t conn_rate; /* new ones per second, likewise; 0: off */
	uint32_t max_topics_per_conn;
	uint32_t max_patterns_per_conn;
	uint32_t max_patterns; /* different ones, per worker */
	uint32_t rate;         /* messages per second and connection, 0: off */
	uint32_t control_rate; /* control frames, likewise */
	uint32_t max_buffer;   /* messages that ?buffer= may ask for */
	uint64_t max_worker_memory; /* bytes: see worker/net/budget.h */
	uint32_t max_head;          /* bytes of a request's head */
	uint32_t request_ms;        /* for a whole head */
	uint32_t idle_ms;           /* between requests */
	uint32_t stall_ms; /* for a peer that takes nothing of what waits */
	uint32_t min_rate; /* bytes per second of a response, 0: any */
	uint32_t max_pipelined; /* requests of a connection, per turn */
	uint32_t drain_ms;
	uint32_t leave_delay_ms; /* of members: broker/ring/members.h */
	uint32_t handover_ms;    /* for connections to come to rest */
	uint32_t restart_code;   /* of a close frame; 0: as the client speaks */
	uint32_t ping_interval_ms; /* 0: no pings */
	uint32_t compress; /* WebSocket messages of so many bytes or more */
	bool watchdog;

	const char *base_path; /* "/app", without a slash behind; NULL: none */
	const char *allow_origin[CONFIG_ALLOW_MAX];
	size_t allow_origin_count;
	const char *allow_host[CONFIG_ALLOW_MAX];
	size_t allow_host_count;
	struct ip_network trust_proxy[CONFIG_PROXY_MAX];
	size_t trust_proxy_count;

	struct policies policies; /* sections of the file, by topic */

	/* Who may what; without any of these everybody may everything. */
	const char *jwt_key[CONFIG_JWT_KEYS_MAX]; /* absolute */
	size_t jwt_key_count;
	const char *api_keys;  /* absolute; NULL: none */
	const char *admin_key; /* likewise */
	const char *jwt_iss;   /* NULL: any */
	const char *jwt_aud[CONFIG_JWT_AUD_MAX];
	size_t jwt_aud_count;
	uint32_t jwt_leeway_ms;
	const char *jwt_cookie;   /* that may hold a token; NULL: none */
	bool jwt_query;           /* which may hold one */
	bool jwt_strict_rotation; /* a token lasts no longer than its key */
	uint32_t auth_timeout_ms; /* for a first token by a message */
	const char *anonymous[CONFIG_GRANTS_MAX];
	size_t anonymous_count;
	const char *grant[CONFIG_GRANTS_MAX];
	size_t grant_count;
};

#endif
