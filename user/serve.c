// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pages of metrics are kept for a tenth of a second, one per format: whoever asks more often, or
 * many at once, get the same one. So scrapes cannot cost more than ten a second do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "err.h"
#include "http.h"
#include "outfile.h"
#include "serve.h"

#define KEEP_NS 100000000ULL

struct serve {
	struct http *http;
	struct serve_source source;
	struct metrics_opts opts;
	struct http_page *metrics[METRICS_OPENMETRICS + 1];
	__u64 made_ns[METRICS_OPENMETRICS + 1];
	struct http_page *index, *missing, *failed;
};

/* ---- pages -------------------------------------------------------------------------------- */

static struct http_page *fixed(unsigned status, const char *type, const char *text)
{
	return http_page__new(status, type, strdup(text), strlen(text));
}

/* NULL: no memory. */
static struct http_page *render(struct serve *s, enum metrics_format format, struct metrics *m)
{
	struct self self;
	char *text = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&text, &bytes);
	int err;

	if (!f)
		return NULL;
	m->self = self__read(&self) ? NULL : &self;
	err = metrics__write(f, format, m, &s->opts);
	if (fclose(f) || err) {
		free(text);
		return NULL;
	}
	return http_page__new(200, metrics_format__type(format), text, bytes);
}

static const struct http_page *metrics_page(struct serve *s, const char *accept)
{
	enum metrics_format format = metrics_format__of_accept(accept);
	__u64 now = now_ns();
	struct metrics m = {0};
	int err;

	if (s->metrics[format] && now - s->made_ns[format] < KEEP_NS)
		return s->metrics[format];
	err = s->source.read(s->source.ctx, &m);
	if (err == -EAGAIN)
		return NULL;
	http_page__free(s->metrics[format]);
	s->metrics[format] = err ? NULL : render(s, format, &m);
	s->made_ns[format] = now;
	return s->metrics[format] ?: s->failed;
}

static const struct http_page *answer(void *ctx, const char *path, const char *accept)
{
	struct serve *s = ctx;

	if (!strcmp(path, "/metrics"))
		return metrics_page(s, accept);
	return strcmp(path, "/") ? s->missing : s->index;
}

static int make_pages(struct serve *s)
{
	s->index = fixed(
		200, "text/html; charset=utf-8",
		"<!DOCTYPE html><html lang=\"en\"><title>kvmsched</title>\n"
		"<h1>kvmsched</h1><p>When and why this host's KVM vCPUs do not get their CPU: "
		"<a href=\"/metrics\">metrics</a> for Prometheus.</p></html>\n");
	s->missing = fixed(404, "text/plain; charset=utf-8", "there is /metrics\n");
	s->failed = fixed(500, "text/plain; charset=utf-8", "the metrics could not be read\n");
	return s->index && s->missing && s->failed ? 0 : err__say(ENOMEM, "starting");
}

/* ---- serving ------------------------------------------------------------------------------ */

static void tell(const struct sockets *sockets)
{
	char name[SOCKETS_NAME];

	for (unsigned i = 0; i < sockets->count; i++)
		err__note("metrics at http://%s/metrics", sockets__name(sockets->fd[i], name));
}

int serve__new(struct serve **out, struct sockets *sockets, const struct serve_source *source,
	       const struct metrics_opts *opts)
{
	struct serve *s = calloc(1, sizeof(*s));
	int err;

	*out = s;
	if (!s)
		return err__say(ENOMEM, "starting");
	s->source = *source;
	s->opts = *opts;
	err = make_pages(s);
	if (err)
		return err;
	tell(sockets);
	return http__new(&s->http, sockets, answer, s);
}

void serve__run(struct serve *s)
{
	http__run(s->http);
}

int serve__fd(struct serve *s, int *timeout_ms)
{
	*timeout_ms = http__timeout_ms(s->http);
	return http__fd(s->http);
}

int serve__until(struct serve *s, int fd)
{
	struct pollfd p[] = {{.fd = fd, .events = POLLIN},
			     {.fd = http__fd(s->http), .events = POLLIN}};

	while (!p[0].revents) {
		if (poll(p, 2, http__timeout_ms(s->http)) < 0 && errno != EINTR)
			return err__say(errno, "waiting for requests");
		http__run(s->http);
	}
	return 0;
}

void serve__ready(struct serve *s)
{
	http__resume(s->http);
}

void serve__free(struct serve *s)
{
	if (!s)
		return;
	http__free(s->http);
	for (int i = 0; i <= METRICS_OPENMETRICS; i++)
		http_page__free(s->metrics[i]);
	http_page__free(s->index);
	http_page__free(s->missing);
	http_page__free(s->failed);
	free(s);
}

/* ---- into a file -------------------------------------------------------------------------- */

/* node_exporter, which reads the file, has process_* of its own, and refuses what comes twice. */
int serve__once(const char *path, const struct metrics *m, const struct metrics_opts *opts)
{
	struct metrics without = *m;
	struct outfile file;
	int err = outfile__open(&file, path, true);

	if (err)
		return err;
	without.self = NULL;
	err = metrics__write(file.f, METRICS_PROMETHEUS, &without, opts);
	if (err && file.f != stdout) /* whose errors run() tells */
		err__say(err, "%s", path);
	return outfile__close(&file, err);
}
