/* SPDX-License-Identifier: MIT */
/*
 * tls_client.h - the client's end of TLS, over a connected socket.
 *
 * OpenSSL does it.  The handshake takes place within the first sends and
 * receives; the socket may block or not, and these do as it does.
 */

#ifndef BROKER_CLI_CLIENT_TLS_CLIENT_H
#define BROKER_CLI_CLIENT_TLS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define TLS_CLIENT_WHY_MAX 200 /* bytes of a reason, NUL included */

struct tls_client;
struct tls_client_context;

/*
 * What connections have in common: whom they trust.  ca_file: PEM certificates;
 * NULL: those of the system.  is_trusting: any server (for load on one's own).
 * Returns: NULL, with why, if the file cannot be used.
 * Owns:    the caller, after the last connection.
 */
struct tls_client_context *tls_client_context_new(
    const char *ca_file, bool is_trusting, char why[TLS_CLIENT_WHY_MAX]);
void tls_client_context_free(struct tls_client_context *context);

/* Begin on a connected socket (borrowed) with a server whose certificate must be
 * for host, a name or an address.  Owns: the caller. */
struct tls_client *tls_client_new(
    const struct tls_client_context *context, int fd, const char *host);

/* Say goodbye if the socket takes it, and free it; NULL is nothing. */
void tls_client_free(struct tls_client *tls);

/* As send(2) and recv(2), with a whole record's room (16 KiB) for receiving.
 * errno EPROTO: it cannot go on, tls_client_why() says why. */
ssize_t tls_client_send(struct tls_client *tls, const void *data, size_t len);
ssize_t tls_client_receive(struct tls_client *tls, void *buf, size_t max);

/* Whether sending waits for bytes of the server: then do not wait until the
 * socket is writable. */
bool tls_client_is_waiting(const struct tls_client *tls);

/* Why it cannot go on. */
const char *tls_client_why(const struct tls_client *tls);

#endif
