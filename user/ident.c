// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads a VM's identity from its VMM's command line. QEMU's syntax is what QEMU itself reads (its
 * util/qemu-option.c): "guest=" is implied for the first value, a comma inside a value is doubled,
 * repeated -name options add up and of each key the last counts. libvirt and Proxmox start QEMU
 * like that, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "escape.h"
#include "ident.h"

#define FILE_MAX (1 << 20) /* of a command line; what is longer has its names in front */

/* ---- files ----------------------------------------------------------------------------------- */

/* Into a buffer that the caller frees, with a NUL behind. Returns the length or -errno. */
static ssize_t read_fd(int fd, char **out)
{
	char *buf = malloc(FILE_MAX + 1);
	ssize_t len = 0, n;

	if (!buf)
		return -ENOMEM;
	while (len < FILE_MAX && (n = read(fd, buf + len, FILE_MAX - len))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			len = -errno;
			free(buf);
			return len;
		}
		len += n;
	}
	buf[len] = '\0';
	*out = buf;
	return len;
}

static ssize_t read_proc(const char *proc, __u32 tgid, const char *file, char **out)
{
	char path[512];
	ssize_t len;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%u/%s", proc, tgid, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read_fd(fd, out);
	close(fd);
	return len;
}

/* Fills dst[size], all of it: it goes to disk. */
static void keep(char *dst, size_t size, const char *src)
{
	size_t len = escape__fit(src, size - 1);

	memcpy(dst, src, len);
	memset(dst + len, 0, size - len);
}

/* ---- command lines --------------------------------------------------------------------------- */

struct args {
	const char *at, *end; /* NUL after each argument */
};

static const char *next_arg(struct args *a)
{
	const char *arg = a->at;

	if (arg >= a->end)
		return NULL;
	a->at += strlen(arg) + 1;
	return arg;
}

/* Is arg the option? *value: what follows "=", else the next argument. One dash or two. */
static bool is_option(struct args *a, const char *arg, const char *name, const char **value)
{
	size_t len = strlen(name);

	if (*arg != '-')
		return false;
	arg += arg[1] == '-' ? 2 : 1;
	if (strncmp(arg, name, len))
		return false;
	if (arg[len] == '=') {
		*value = arg + len + 1;
		return true;
	}
	if (arg[len])
		return false;
	*value = next_arg(a);
	return *value;
}

/* ---- QEMU ------------------------------------------------------------------------------------ */

/* Copies a value up to its single comma; returns where it ends. What does not fit is left out. */
static const char *qemu_value(const char *s, char *out, size_t size)
{
	size_t n = 0;

	for (; *s; s++) {
		if (*s == ',' && *++s != ',') {
			s--;
			break;
		}
		if (n < size - 1)
			out[n++] = *s;
	}
	out[n] = '\0';
	return s;
}

/* Finds key in "[value,]key=value,flag,..."; implied: the first value without a key is this one's.
 * Leaves out as it is if there is none. */
static void qemu_key(const char *s, const char *key, bool implied, char *out, size_t size)
{
	char other[8];

	while (*s) {
		size_t len = strcspn(s, "=,");
		bool named = s[len] == '=';
		bool found = named ? len == strlen(key) && !strncmp(s, key, len) : implied;

		if (named)
			s += len + 1;
		s = qemu_value(s, found ? out : other, found ? size : sizeof(other));
		if (*s)
			s++;
		implied = false;
	}
}

/* Proxmox gives the UUID only to the firmware: -smbios type=1,uuid=U */
static void qemu_smbios(const char *value, char *uuid, size_t size)
{
	char type[4] = "";

	qemu_key(value, "type", false, type, sizeof(type));
	if (!strcmp(type, "1"))
		qemu_key(value, "uuid", false, uuid, size);
}

static void qemu_identity(struct args a, char *name, size_t name_size, char *uuid, size_t uuid_size)
{
	const char *arg, *value, *found = NULL;

	while ((arg = next_arg(&a))) {
		if (is_option(&a, arg, "name", &value))
			qemu_key(value, "guest", true, name, name_size);
		else if (is_option(&a, arg, "uuid", &value))
			found = value;
		else if (is_option(&a, arg, "smbios", &value))
			qemu_smbios(value, uuid, uuid_size);
	}
	if (found)
		snprintf(uuid, uuid_size, "%s", found);
}

/* ---- all VMMs -------------------------------------------------------------------------------- */

static void plain_identity(struct args a, const char *option, char *name, size_t size)
{
	const char *arg, *value;

	while ((arg = next_arg(&a)))
		if (is_option(&a, arg, option, &value))
			snprintf(name, size, "%s", value);
}

/* The option that names a VM, by the executable's name. All others are read as QEMU, which has
 * many. */
static const char *naming_option(const char *argv0)
{
	static const struct {
		const char *exe, *option;
	} vmms[] = {
		{"firecracker", "id"},
		{"crosvm", "name"},
		{"lkvm", "name"},
	};
	const char *slash = strrchr(argv0, '/'), *exe = slash ? slash + 1 : argv0;

	for (size_t i = 0; i < sizeof(vmms) / sizeof(*vmms); i++)
		if (!strncmp(exe, vmms[i].exe, strlen(vmms[i].exe)))
			return vmms[i].option;
	return NULL;
}

/* Longer than the fields, so that these are cut by keep(), between characters. */
struct identity {
	char name[256];
	char uuid[64];
};

static int from_cmdline(const char *proc, __u32 tgid, struct identity *id)
{
	const char *argv0, *option;
	char *buf = NULL;
	ssize_t len = read_proc(proc, tgid, "cmdline", &buf);
	struct args a;

	if (len < 0)
		return len;
	a = (struct args){buf, buf + len};
	argv0 = next_arg(&a);
	option = argv0 ? naming_option(argv0) : NULL;
	if (option)
		plain_identity(a, option, id->name, sizeof(id->name));
	else
		qemu_identity(a, id->name, sizeof(id->name), id->uuid, sizeof(id->uuid));
	free(buf);
	return 0;
}

/* COMM-TGID. comm may lack its NUL. */
static void fallback_name(const char *proc, __u32 tgid, const char *comm, struct identity *id)
{
	char *buf = NULL;

	if ((!comm || !*comm) && read_proc(proc, tgid, "comm", &buf) > 0) {
		buf[strcspn(buf, "\n")] = '\0';
		comm = buf;
	}
	if (!comm || !*comm)
		comm = "vm";
	snprintf(id->name, sizeof(id->name), "%.*s-%u", KS_COMM_LEN, comm, tgid);
	free(buf);
}

/* The path in the line "0::PATH": cgroup v2. */
static void find_cgroup(const char *proc, __u32 tgid, char *out, size_t size)
{
	char *buf, *rest, *line;

	keep(out, size, "");
	if (read_proc(proc, tgid, "cgroup", &buf) < 0)
		return;
	rest = buf;
	while ((line = strsep(&rest, "\n")))
		if (!strncmp(line, "0::", 3))
			keep(out, size, line + 3);
	free(buf);
}

int ident__resolve(const char *proc, __u32 tgid, const char *comm, struct ks_name *out)
{
	struct identity id = {0};
	int err = from_cmdline(proc, tgid, &id);

	if (!*id.name)
		fallback_name(proc, tgid, comm, &id);
	keep(out->name, sizeof(out->name), id.name);
	keep(out->uuid, sizeof(out->uuid), id.uuid);
	find_cgroup(proc, tgid, out->cgroup, sizeof(out->cgroup));
	return err;
}
