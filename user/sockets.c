// SPDX-License-Identifier: BSD-2-Clause
/* See sockets.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "err.h"
#include "sockets.h"
#include "units.h"

#define FIRST_INHERITED 3 /* SD_LISTEN_FDS_START */
#define BACKLOG		256

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t size_of(const union address *a)
{
	return a->any.sa_family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);
}

static int add(struct sockets *s, int fd)
{
	if (s->count == SOCKETS_MAX) {
		close(fd);
		return err__say(0, "--listen: at most %d sockets", SOCKETS_MAX);
	}
	s->fd[s->count++] = fd;
	return 0;
}

/* ---- told --------------------------------------------------------------------------------- */

static int parse(const char *where, union address *a)
{
	const char *colon = strrchr(where, ':');
	size_t len = colon ? (size_t)(colon - where) : 0;
	char host[INET6_ADDRSTRLEN];
	__u64 port;

	if (!colon || units__u64(colon + 1, &port) || port > 65535 || len >= sizeof(host) + 2)
		return -EINVAL;
	*a = (union address){0};
	if (len > 2 && where[0] == '[' && where[len - 1] == ']') {
		snprintf(host, sizeof(host), "%.*s", (int)len - 2, where + 1);
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons(port);
		return inet_pton(AF_INET6, host, &a->v6.sin6_addr) == 1 ? 0 : -EINVAL;
	}
	snprintf(host, sizeof(host), "%.*s", (int)len, where);
	a->v4.sin_family = AF_INET;
	a->v4.sin_port = htons(port);
	return inet_pton(AF_INET, host, &a->v4.sin_addr) == 1 ? 0 : -EINVAL;
}

/* A file descriptor or -errno. both: IPv4 at the IPv6 socket, too. */
static int open_one(const union address *a, int both)
{
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, only = !both, err;

	if (fd < 0)
		return -errno;
	/* a server that is started again need not wait for its predecessor's last connections */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	if (!bind(fd, &a->any, size_of(a)) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int cannot(int err, const char *where)
{
	if (err == -EADDRINUSE)
		return err__say(EADDRINUSE,
				"--listen %s (another kvmsched serve? --listen takes another port)",
				where);
	return err__say(err, "--listen %s", where);
}

/* Every address of this host; one without IPv6 has those of IPv4. */
static int open_every(const char *port_text)
{
	union address a;
	char where[32];
	int fd;

	snprintf(where, sizeof(where), "[::]%.10s", port_text);
	if (parse(where, &a))
		return -EINVAL;
	fd = open_one(&a, 1);
	if (fd != -EAFNOSUPPORT && fd != -EADDRNOTAVAIL)
		return fd;
	snprintf(where, sizeof(where), "0.0.0.0%.10s", port_text);
	return parse(where, &a) ?: open_one(&a, 0);
}

int sockets__listen(struct sockets *s, const char *where)
{
	union address a;
	int fd;

	if (where[0] == ':')
		fd = open_every(where);
	else
		fd = parse(where, &a) ?: open_one(&a, 0);
	if (fd == -EINVAL)
		return err__say(0, "--listen %s: not ADDRESS:PORT, [ADDRESS]:PORT or :PORT", where);
	return fd < 0 ? cannot(fd, where) : add(s, fd);
}

int sockets__listen_loopback(struct sockets *s, unsigned port)
{
	union address a;
	char where[32];
	int err, fd;

	snprintf(where, sizeof(where), "127.0.0.1:%u", port);
	err = sockets__listen(s, where);
	if (err)
		return err;
	snprintf(where, sizeof(where), "[::1]:%u", port);
	fd = parse(where, &a) ?: open_one(&a, 0);
	if (fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL)
		return 0;
	return fd < 0 ? cannot(fd, where) : add(s, fd);
}

/* ---- handed over -------------------------------------------------------------------------- */

static int is_listening_stream(int fd)
{
	int type = 0, listens = 0;
	socklen_t size = sizeof(int);

	return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) && type == SOCK_STREAM &&
	       !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) && listens;
}

static int take(struct sockets *s, int fd)
{
	if (!is_listening_stream(fd))
		return err__say(0, "LISTEN_FDS: file descriptor %d is no listening stream socket",
				fd);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return add(s, fd);
}

int sockets__inherit(struct sockets *s)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	__u64 p, n;
	int err = 0;

	if (!pid || !fds || units__u64(pid, &p) || p != (__u64)getpid())
		return 0; /* not for us */
	if (units__u64(fds, &n) || n > SOCKETS_MAX)
		return err__say(0, "LISTEN_FDS=%s: not a number up to %d", fds, SOCKETS_MAX);
	for (__u64 i = 0; i < n && !err; i++)
		err = take(s, FIRST_INHERITED + i);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	return err;
}

const char *sockets__name(int fd, char out[SOCKETS_NAME])
{
	union address a = {0};
	socklen_t size = sizeof(a);
	char host[INET6_ADDRSTRLEN] = "";

	strcpy(out, "a socket");
	if (getsockname(fd, &a.any, &size))
		return out;
	if (a.any.sa_family == AF_INET6 && inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof(host)))
		snprintf(out, SOCKETS_NAME, "[%s]:%u", host, ntohs(a.v6.sin6_port));
	else if (a.any.sa_family == AF_INET &&
		 inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof(host)))
		snprintf(out, SOCKETS_NAME, "%s:%u", host, ntohs(a.v4.sin_port));
	return out;
}

void sockets__free(struct sockets *s)
{
	for (unsigned i = 0; i < s->count; i++)
		close(s->fd[i]);
	s->count = 0;
}
