/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sockets that a server listens on: those it is told, or those that systemd hands over (socket
 * activation, sd_listen_fds(3)). Addresses are numeric: nothing is looked up. Knows no protocol.
 */
#ifndef KVMSCHED_SOCKETS_H
#define KVMSCHED_SOCKETS_H

#define SOCKETS_MAX 16

struct sockets {
	int fd[SOCKETS_MAX]; /* listening, non-blocking, close-on-exec */
	unsigned count;
};

/* What systemd hands over, if it started us: none is fine. 0 or -errno, having said why. */
int sockets__inherit(struct sockets *s);

/* "127.0.0.1:10098", "[::1]:10098", or ":10098" for every address of this host. Port 0: any that is
 * free. 0 or -errno, having said why. */
int sockets__listen(struct sockets *s, const char *where);

/* The loopback addresses, of IPv4 and, where this host has it, IPv6. */
int sockets__listen_loopback(struct sockets *s, unsigned port);

/* "127.0.0.1:10098", "[::1]:10098". Returns out. */
#define SOCKETS_NAME 64
const char *sockets__name(int fd, char out[SOCKETS_NAME]);

void sockets__free(struct sockets *s);

#endif
