/* SPDX-License-Identifier: MIT */
/*
 * manager.c - the two sides of a service manager that a server meets.
 *
 *	manager listen PATH
 *		is NOTIFY_SOCKET: says "listening", then each message on a line,
 *		with blanks for newlines, until it is killed
 *	manager pass N|admin ADDR:PORT ... -- COMMAND ...
 *		executes a command to which it passes N listening sockets of that
 *		address, or one that is called admin.  They share their port by
 *		SO_REUSEPORT if N > 1, and block, as systemd's do.  Says
 *		"passed ADDR:PORT ..." on standard error.
 */

#include "common/address.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST 3 /* descriptor that is passed */

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static int
listen_for_messages(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[2048];
	ssize_t n;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		fail(path);
	printf("listening\n");
	fflush(stdout);
	while ((n = recv(fd, text, sizeof(text) - 1, 0)) >= 0) {
		text[n] = '\0';
		for (char *p = text; *p != '\0'; p++)
			if (*p == '\n')
				*p = ' ';
		printf("%s\n", text);
		fflush(stdout);
	}
	return 1;
}

/* Open one socket; with port 0 it says which it has got. */
static int
open_socket(struct config_address *address, bool shares)
{
	socklen_t len = sizeof(address->addr);
	int fd = socket(address->addr.ss_family, SOCK_STREAM, 0);
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (shares)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address->addr, address->len) == -1 ||
	    listen(fd, SOMAXCONN) == -1 ||
	    getsockname(fd, (struct sockaddr *)&address->addr, &len) == -1)
		fail("socket");
	return fd;
}

static void
set_number(const char *variable, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	setenv(variable, text, 1);
}

/* Open the sockets of a pair of arguments, from this descriptor on.  Returns how
 * many, and adds a name for each to names. */
static int
open_sockets(const char *n, const char *where, int next, char names[1024])
{
	bool is_admin = strcmp(n, "admin") == 0;
	int count = is_admin ? 1 : atoi(n);
	struct config_address address;
	char text[ADDRESS_TEXT_MAX];

	if (address_parse(&address, where) != NULL)
		fail(where);
	for (int i = 0; i < count; i++) {
		int fd = open_socket(&address, count > 1);

		if (fd != next + i) {
			dup2(fd, next + i);
			close(fd);
		}
		strcat(names, names[0] != '\0' ? ":" : "");
		strcat(names, is_admin ? "admin" : "pubsubd.socket");
	}
	fprintf(stderr, " %s", address_format(&address, text));
	return count;
}

int
main(int argc, char **argv)
{
	char names[1024] = "";
	int next = FIRST;
	int i;

	if (argc == 3 && strcmp(argv[1], "listen") == 0)
		return listen_for_messages(argv[2]);
	if (argc < 3 || strcmp(argv[1], "pass") != 0)
		return 2;
	fprintf(stderr, "passed");
	for (i = 2; i + 1 < argc && strcmp(argv[i], "--") != 0; i += 2)
		next += open_sockets(argv[i], argv[i + 1], next, names);
	fprintf(stderr, "\n");
	set_number("LISTEN_PID", getpid());
	set_number("LISTEN_FDS", next - FIRST);
	setenv("LISTEN_FDNAMES", names, 1);
	execvp(argv[i + 1], argv + i + 1);
	fail(argv[i + 1]);
}
