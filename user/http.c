// SPDX-License-Identifier: BSD-2-Clause
/*
 * A daemon of the library's per socket, all of them behind one epoll. The library's timeout is for
 * silence only, so a list of the connections, oldest first, has the time since each came in. One
 * that is overdue is shut down, and ends as if the client had gone.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/types.h>
#include <microhttpd.h>
#include "clock.h"
#include "err.h"
#include "http.h"

struct http_page {
	struct MHD_Response *response; /* counts its users itself */
	unsigned status;
};

struct client {
	struct client *next, *prev;
	struct MHD_Connection *connection;
	int fd;
	__u64 since_ms;
	bool asked;   /* its request is whole */
	bool waiting; /* suspended */
	bool cut;
};

struct http {
	struct MHD_Daemon *daemon[SOCKETS_MAX];
	unsigned daemons;
	int epoll;
	http_answer_fn answer;
	void *ctx;
	struct client clients; /* the list's head; next is the oldest */
	bool stopping;
};

static __u64 now_ms(void)
{
	return now_ns() / 1000000;
}

/* ---- pages -------------------------------------------------------------------------------- */

struct http_page *http_page__new(unsigned status, const char *type, char *text, size_t bytes)
{
	struct http_page *p = calloc(1, sizeof(*p));

	if (!p || !text) {
		free(p);
		free(text);
		return NULL;
	}
	p->status = status;
	p->response = MHD_create_response_from_buffer(bytes, text, MHD_RESPMEM_MUST_FREE);
	if (!p->response) {
		free(text);
		free(p);
		return NULL;
	}
	MHD_add_response_header(p->response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(p->response, MHD_HTTP_HEADER_CONNECTION, "close");
	MHD_add_response_header(p->response, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(p->response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	return p;
}

void http_page__free(struct http_page *p)
{
	if (!p)
		return;
	MHD_destroy_response(p->response);
	free(p);
}

/* ---- what the library calls --------------------------------------------------------------- */

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status, const char *why)
{
	char *text = strdup(why);
	struct http_page *p = http_page__new(status, "text/plain", text, text ? strlen(why) : 0);
	enum MHD_Result done = p ? MHD_queue_response(c, status, p->response) : MHD_NO;

	http_page__free(p);
	return done;
}

static struct client *client_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return i ? i->socket_context : NULL;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **request)
{
	struct http *h = ctx;
	struct client *client = client_of(c);
	const struct http_page *p;

	(void)version, (void)upload, (void)upload_size, (void)request;
	if (!client)
		return MHD_NO;
	client->asked = true;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return refuse(c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	p = h->answer(h->ctx, url,
		      MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
	if (p)
		return MHD_queue_response(c, p->status, p->response);
	if (h->stopping)
		return refuse(c, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping\n");
	client->waiting = true;
	MHD_suspend_connection(c);
	return MHD_YES;
}

static void came(struct http *h, struct MHD_Connection *c, void **socket_context)
{
	const union MHD_ConnectionInfo *i =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct client *client = calloc(1, sizeof(*client));

	if (!client || !i) {
		free(client);
		return; /* and is refused when it asks */
	}
	client->connection = c;
	client->fd = i->connect_fd;
	client->since_ms = now_ms();
	client->next = &h->clients;
	client->prev = h->clients.prev;
	client->prev->next = client->next->prev = client;
	*socket_context = client;
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct client *client = *socket_context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		came(ctx, c, socket_context);
	} else if (client) {
		client->prev->next = client->next;
		client->next->prev = client->prev;
		*socket_context = NULL;
		free(client);
	}
}

/* ---- running ------------------------------------------------------------------------------ */

static int start(struct http *h, int fd)
{
	struct MHD_Daemon *d = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, h,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CLIENTS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_ALL_MS / 1000,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_HEAD_BYTES,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_SIGPIPE_HANDLED_BY_APP,
		1, MHD_OPTION_END);
	const union MHD_DaemonInfo *i = d ? MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	struct epoll_event e = {.events = EPOLLIN};

	if (!d)
		return -(errno ?: EINVAL);
	h->daemon[h->daemons++] = d;
	return i && !epoll_ctl(h->epoll, EPOLL_CTL_ADD, i->epoll_fd, &e) ? 0 : -(errno ?: EINVAL);
}

int http__new(struct http **out, struct sockets *s, http_answer_fn answer, void *ctx)
{
	struct http *h = calloc(1, sizeof(*h));
	int err = 0;

	*out = h;
	if (!h)
		return err__say(ENOMEM, "starting the HTTP server");
	signal(SIGPIPE, SIG_IGN); /* a client that leaves is no reason to end */
	h->answer = answer;
	h->ctx = ctx;
	h->clients.next = h->clients.prev = &h->clients;
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (h->epoll < 0)
		return err__say(errno, "starting the HTTP server");
	while (!err && s->count)
		err = start(h, s->fd[--s->count]);
	return err ? err__say(err, "starting the HTTP server") : 0;
}

int http__fd(const struct http *h)
{
	return h ? h->epoll : -1;
}

static __u64 deadline_of(const struct client *c)
{
	return c->since_ms + (c->asked ? HTTP_ALL_MS : HTTP_ASK_MS);
}

int http__timeout_ms(struct http *h)
{
	__u64 now = now_ms(), wait = ~0ULL;
	MHD_UNSIGNED_LONG_LONG ms;

	for (unsigned i = 0; i < h->daemons; i++)
		if (MHD_get_timeout(h->daemon[i], &ms) == MHD_YES && ms < wait)
			wait = ms;
	for (struct client *c = h->clients.next; c != &h->clients; c = c->next) {
		__u64 end = deadline_of(c);

		if (!c->cut && (end > now ? end - now : 0) < wait)
			wait = end > now ? end - now : 0;
	}
	return wait == ~0ULL ? -1 : (int)wait;
}

void http__run(struct http *h)
{
	__u64 now = now_ms();

	for (struct client *c = h->clients.next; c != &h->clients; c = c->next)
		if (!c->cut && deadline_of(c) <= now)
			c->cut = !shutdown(c->fd, SHUT_RDWR) || errno == ENOTCONN;
	for (unsigned i = 0; i < h->daemons; i++)
		MHD_run(h->daemon[i]);
}

void http__resume(struct http *h)
{
	for (struct client *c = h->clients.next; c != &h->clients; c = c->next)
		if (c->waiting) {
			c->waiting = false;
			MHD_resume_connection(c->connection);
		}
}

static bool ready(const struct http *h)
{
	struct pollfd p = {.fd = h->epoll, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

/* Who came before we stopped listening is answered: the library lets in a few at a time. */
static void drain(struct http *h)
{
	__u64 end = now_ms() + HTTP_GRACE_MS, now;
	int fd;

	for (int i = 0; i < HTTP_CLIENTS && ready(h); i++)
		http__run(h);
	for (unsigned i = 0; i < h->daemons; i++) {
		fd = MHD_quiesce_daemon(h->daemon[i]);
		if (fd >= 0)
			close(fd);
	}
	while ((now = now_ms()) < end && h->clients.next != &h->clients) {
		struct pollfd p = {.fd = h->epoll, .events = POLLIN};
		int wait = http__timeout_ms(h);

		poll(&p, 1, wait >= 0 && now + wait < end ? wait : (int)(end - now));
		http__run(h);
	}
}

void http__free(struct http *h)
{
	if (!h)
		return;
	h->stopping = true;
	http__resume(h);
	drain(h);
	for (unsigned i = 0; i < h->daemons; i++)
		MHD_stop_daemon(h->daemon[i]);
	if (h->epoll >= 0)
		close(h->epoll);
	free(h);
}
