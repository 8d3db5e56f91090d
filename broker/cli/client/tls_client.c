/* SPDX-License-Identifier: MIT */
/* tls_client.c - see tls_client.h. */

#include "broker/cli/client/tls_client.h"

#include "common/bug.h"
#include "common/xmalloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TLS_CLIENT_RECORD_MAX 16384u

struct tls_client_context {
	SSL_CTX *ctx;
	BIO_METHOD *method;
};

struct tls_client {
	SSL *ssl;
	int fd;
	bool is_waiting;
	char why[TLS_CLIENT_WHY_MAX];
};

static int
tls_client_bio_write(BIO *bio, const char *data, int len)
{
	const struct tls_client *tls = BIO_get_data(bio);
	ssize_t n = send(tls->fd, data, (size_t)len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_write(bio);
	return (int)n;
}

static int
tls_client_bio_read(BIO *bio, char *buf, int max)
{
	const struct tls_client *tls = BIO_get_data(bio);
	ssize_t n = recv(tls->fd, buf, (size_t)max, 0);

	BIO_clear_retry_flags(bio);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		BIO_set_retry_read(bio);
	return (int)n;
}

static long
tls_client_bio_ctrl(BIO *bio, int command, long number, void *arg)
{
	(void)bio;
	(void)number;
	(void)arg;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *
tls_client_bio_method(void)
{
	BIO_METHOD *method =
	    BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client");

	CHECK(method != NULL &&
	      BIO_meth_set_write(method, tls_client_bio_write) == 1 &&
	      BIO_meth_set_read(method, tls_client_bio_read) == 1 &&
	      BIO_meth_set_ctrl(method, tls_client_bio_ctrl) == 1);
	return method;
}

struct tls_client_context *
tls_client_context_new(
    const char *ca_file, bool is_trusting, char why[TLS_CLIENT_WHY_MAX])
{
	struct tls_client_context *context = xcalloc(1, sizeof(*context));
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int ok;

	CHECK(ctx != NULL);
	context->ctx = ctx;
	context->method = tls_client_bio_method();
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
				  SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_verify(
	    ctx, is_trusting ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	errno = 0;
	ok = ca_file != NULL ? SSL_CTX_load_verify_file(ctx, ca_file)
	                     : SSL_CTX_set_default_verify_paths(ctx);
	if (ok == 1 || is_trusting) {
		ERR_clear_error();
		return context;
	}
	snprintf(why, TLS_CLIENT_WHY_MAX, "%s",
	    errno == ENOENT || errno == EACCES
		? strerror(errno)
		: "holds no certificates in PEM");
	ERR_clear_error();
	tls_client_context_free(context);
	return NULL;
}

void
tls_client_context_free(struct tls_client_context *context)
{
	if (context == NULL)
		return;
	SSL_CTX_free(context->ctx);
	BIO_meth_free(context->method);
	free(context);
}

/* Have the certificate be one for this name or address. */
static void
tls_client_expect(SSL *ssl, const char *host)
{
	unsigned char address[16];
	char *name; /* the macro takes no constant */

	if (inet_pton(AF_INET, host, address) == 1 ||
	    inet_pton(AF_INET6, host, address) == 1) {
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
		return;
	}
	name = xstrdup(host);
	SSL_set_tlsext_host_name(ssl, name); /* SNI has names only */
	free(name);
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	SSL_set1_host(ssl, host);
}

struct tls_client *
tls_client_new(
    const struct tls_client_context *context, int fd, const char *host)
{
	static const unsigned char alpn[] = "\x08http/1.1";
	struct tls_client *tls = xcalloc(1, sizeof(*tls));
	BIO *bio = BIO_new(context->method);

	CHECK(bio != NULL);
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	tls->fd = fd;
	tls->ssl = SSL_new(context->ctx);
	CHECK(tls->ssl != NULL);
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_connect_state(tls->ssl);
	SSL_set_alpn_protos(tls->ssl, alpn, sizeof(alpn) - 1);
	tls_client_expect(tls->ssl, host);
	return tls;
}

void
tls_client_free(struct tls_client *tls)
{
	if (tls == NULL)
		return;
	if (SSL_is_init_finished(tls->ssl))
		SSL_shutdown(tls->ssl);
	SSL_free(tls->ssl);
	ERR_clear_error();
	free(tls);
}

/* Note why it cannot go on: the first error is the cause, those behind it say
 * what could not be done for it. */
static void
tls_client_fail(struct tls_client *tls)
{
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_reason_error_string(error);
	long verdict = SSL_get_verify_result(tls->ssl);

	/* Called again after that, OpenSSL says nothing more. */
	if (tls->why[0] != '\0')
		return;
	if (verdict != X509_V_OK)
		snprintf(tls->why, sizeof(tls->why),
		    "its certificate is not trusted: %s",
		    X509_verify_cert_error_string(verdict));
	else if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
		 ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER)
		snprintf(tls->why, sizeof(tls->why),
		    "what answers there does not speak TLS");
	else
		snprintf(tls->why, sizeof(tls->why), "TLS: %s",
		    reason != NULL ? reason : "the handshake was cut off");
}

/* What a call that was not done returns, with errno. */
static ssize_t
tls_client_undone(struct tls_client *tls, int result, int saved)
{
	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		break;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		if (saved != 0 && SSL_is_init_finished(tls->ssl)) {
			errno = saved;
			break;
		}
		/* fallthrough */
	default:
		tls_client_fail(tls);
		errno = EPROTO;
		break;
	}
	ERR_clear_error();
	return -1;
}

ssize_t
tls_client_send(struct tls_client *tls, const void *data, size_t len)
{
	int n;

	if (len > TLS_CLIENT_RECORD_MAX)
		len = TLS_CLIENT_RECORD_MAX;
	ERR_clear_error();
	errno = 0;
	n = SSL_write(tls->ssl, data, (int)len);
	tls->is_waiting =
	    n <= 0 && SSL_get_error(tls->ssl, n) == SSL_ERROR_WANT_READ;
	return n > 0 ? n : tls_client_undone(tls, n, errno);
}

ssize_t
tls_client_receive(struct tls_client *tls, void *buf, size_t max)
{
	size_t len = 0;
	int n;

	ERR_clear_error();
	do {
		errno = 0;
		n = SSL_read(tls->ssl, (char *)buf + len, (int)(max - len));
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && max - len >= TLS_CLIENT_RECORD_MAX &&
		 SSL_pending(tls->ssl) > 0);
	tls->is_waiting &= !SSL_is_init_finished(tls->ssl);
	return len > 0 ? (ssize_t)len : tls_client_undone(tls, n, errno);
}

bool
tls_client_is_waiting(const struct tls_client *tls)
{
	return tls->is_waiting;
}

const char *
tls_client_why(const struct tls_client *tls)
{
	return tls->why;
}
