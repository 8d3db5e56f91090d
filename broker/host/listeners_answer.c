/* SPDX-License-Identifier: MIT */
/* listeners_answer.c - whether the listening sockets are answered; see
 * listeners.h. */

#include "broker/host/listeners.h"

#include "common/address.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Ask one address for /healthz and see whether HTTP comes back. */
static bool
listeners_probe(const struct config_address *address, unsigned timeout_ms)
{
	struct timeval patience = {
		.tv_sec = timeout_ms / 1000,
		.tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000,
	};
	char text[ADDRESS_TEXT_MAX];
	char question[160], answer[7];
	bool answered;
	int len;
	int fd;

	len = snprintf(question, sizeof(question),
	    "%sGET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
	    address->proxy ? "PROXY UNKNOWN\r\n" : "",
	    address_is_unix(address) ? "localhost"
				     : address_format(address, text));
	fd = socket(address->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return false;
	/* SO_SNDTIMEO bounds connect(2) too. */
	answered = setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		       sizeof(patience)) == 0 &&
	           setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) == 0 &&
	           connect(fd, (const struct sockaddr *)&address->addr,
		       address->len) == 0 &&
	           send(fd, question, (size_t)len, MSG_NOSIGNAL) == len &&
	           recv(fd, answer, sizeof(answer), MSG_WAITALL) ==
	               (ssize_t)sizeof(answer) &&
	           memcmp(answer, "HTTP/1.", sizeof(answer)) == 0;
	close(fd);
	return answered;
}

bool
listeners_answer(const struct listeners *listeners, unsigned timeout_ms,
    char error[LISTENERS_ERROR_MAX])
{
	for (size_t i = 0; i < listeners->count; i++) {
		char text[ADDRESS_TEXT_MAX];

		/* Those for TLS are accepted from by the same workers. */
		if (listeners->address[i].tls ||
		    listeners_probe(&listeners->address[i], timeout_ms))
			continue;
		snprintf(error, LISTENERS_ERROR_MAX,
		    "the workers are ready, but %s does not answer",
		    address_format(&listeners->address[i], text));
		return false;
	}
	return true;
}
