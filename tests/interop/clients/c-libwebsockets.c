// SPDX-License-Identifier: MIT
#include <libwebsockets.h>
#include <stdio.h>
#include <string.h>

#define PLAIN     "plain"
#define QUEUE_MAX 16
#define TEXT_MAX  70000

static struct {
	char **lines;
	char text[TEXT_MAX];
	size_t text_len;
	char out[QUEUE_MAX][LWS_PRE + TEXT_MAX];
	size_t out_len[QUEUE_MAX];
	int first, count;
	int leaving, ended;
} client;

static void
say(struct lws *wsi, const char *text, size_t len)
{
	int at = (client.first + client.count++) % QUEUE_MAX;

	memcpy(client.out[at] + LWS_PRE, text, len);
	client.out_len[at] = len;
	lws_callback_on_writable(wsi);
}

static void
take(struct lws *wsi)
{
	printf("message %.*s\n", (int)client.text_len, client.text);
	if (client.text_len > 0 && client.text[0] == '>')
		say(wsi, client.text + 1, client.text_len - 1);
	if (client.text_len == 3 && memcmp(client.text, "bye", 3) == 0) {
		client.leaving = 1;
		lws_callback_on_writable(wsi);
	}
	client.text_len = 0;
}

static int
told(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
    size_t len)
{
	const unsigned char *bytes = in;
	(void)user;
	switch (reason) {
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		printf("open %s\n", strcmp(lws_get_protocol(wsi)->name, PLAIN)
					? lws_get_protocol(wsi)->name
					: "");
		for (char **line = client.lines; *line; line++)
			say(wsi, *line, strlen(*line));
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		memcpy(client.text + client.text_len, in, len);
		client.text_len += len;
		if (lws_is_final_fragment(wsi) &&
		    lws_remaining_packet_payload(wsi) == 0)
			take(wsi);
		return 0;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		if (client.count > 0) {
			lws_write(wsi,
			    (unsigned char *)client.out[client.first] + LWS_PRE,
			    client.out_len[client.first], LWS_WRITE_TEXT);
			client.first = (client.first + 1) % QUEUE_MAX;
			if (--client.count > 0)
				lws_callback_on_writable(wsi);
		} else if (client.leaving) {
			lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
			return -1;
		}
		return 0;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		printf("told %d %.*s\n", bytes[0] << 8 | bytes[1], (int)len - 2,
		    bytes + 2);
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		printf("raised %s\n", in ? (char *)in : "");
		client.ended = 1;
		return 0;
	case LWS_CALLBACK_CLIENT_CLOSED:
		puts("closed");
		client.ended = 1;
		return 0;
	default:
		return 0;
	}
}

int
main(int argc, char **argv)
{
	const struct lws_protocols protocols[] = {
		{ argc > 2 && argv[2][0] ? argv[2] : PLAIN, told, 0, TEXT_MAX,
		    0, NULL, 0 },
		{ NULL, NULL, 0, 0, 0, NULL, 0 }
	};
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols
	};
	struct lws_client_connect_info to = { 0 };
	const char *scheme, *path;
	char slashed[1024];

	setvbuf(stdout, NULL, _IOLBF, 0);
	lws_set_log_level(0, NULL);
	if (lws_parse_uri(argv[1], &scheme, &to.address, &to.port, &path))
		return 2;
	snprintf(slashed, sizeof(slashed), "/%s", path);
	client.lines = argv + 3;
	to.context = lws_create_context(&info);
	to.path = slashed;
	to.host = to.address;
	to.origin = NULL;
	to.protocol = argv[2][0] ? argv[2] : NULL;
	to.local_protocol_name = protocols[0].name;
	lws_client_connect_via_info(&to);
	while (!client.ended)
		lws_service(to.context, 0);
	lws_context_destroy(to.context);
	return 0;
}
