// SPDX-License-Identifier: BSD-2-Clause
/* A VM's identity out of a made-up /proc: command lines of several VMMs, hostile ones, none. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ident.h"

#define TGID 42

static char proc[64];
static const char *const files[] = {"cmdline", "comm", "cgroup"};

static const char *path_of(const char *file)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%d/%s", proc, TGID, file);
	return path;
}

static int make_proc(void **state)
{
	(void)state;
	strcpy(proc, "/tmp/test_ident.XXXXXX");
	return !mkdtemp(proc) || mkdir(path_of(""), 0700);
}

static int remove_proc(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		unlink(path_of(files[i]));
	return rmdir(path_of("")) || rmdir(proc);
}

static void put(const char *file, const char *bytes, size_t len)
{
	FILE *f = fopen(path_of(file), "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* A command line written with blanks between its arguments. */
static struct ks_name resolve(const char *cmdline)
{
	struct ks_name n;
	size_t len = strlen(cmdline) + 1;
	char *bytes = strdup(cmdline);

	for (char *s = bytes; (s = strchr(s, ' ')); s++)
		*s = '\0';
	put("cmdline", bytes, len);
	free(bytes);
	memset(&n, 'Z', sizeof(n));
	assert_int_equal(ident__resolve(proc, TGID, "comm", &n), 0);
	return n;
}

static void check(const char *cmdline, const char *name, const char *uuid)
{
	struct ks_name n = resolve(cmdline);

	assert_string_equal(n.name, name);
	assert_string_equal(n.uuid, uuid);
}

static void qemu(void **state)
{
	(void)state;
	check("qemu-system-x86_64 -name web -m 1G", "web", "");
	check("qemu-system-x86_64 --name web --uuid 12-34", "web", "12-34");
	check("/usr/libexec/qemu-kvm -name guest=web,debug-threads=on -S -uuid 12-34", "web",
	      "12-34");
	check("qemu -name debug-threads=on,guest=web", "web", "");
	check("qemu -name web,process=vm:web,debug-threads=on", "web", "");
	check("qemu -name process=vm:web", "comm-42", "");
	check("qemu -name a,,b", "a,b", "");
	check("qemu -name guest=a,,,,b,,,debug-threads=on", "a,,b,", "");
	check("qemu -name guest=a=b", "a=b", "");
	check("qemu -name guest=", "comm-42", "");
	check("qemu -name guest", "guest", "");
	check("qemu -name web -name process=x", "web", "");
	check("qemu -name web -name db", "db", "");
	check("qemu -name web,db", "web", "");
	check("qemu -name web,", "web", "");
	check("qemu -name x,guestlist=y,guest=web", "web", "");
	check("qemu -m 1G -name", "comm-42", "");
	check("qemu -names web", "comm-42", "");
	check("anything -name web", "web", ""); /* whatever the executable is called */
}

static void libvirt_and_proxmox(void **state)
{
	(void)state;
	check("/usr/bin/qemu-system-x86_64 -name guest=deb12,debug-threads=on -S -object "
	      "{\"qom-type\":\"secret\"} -machine pc-q35-7.2,usb=off -accel kvm -uuid "
	      "4dea22b3-1d52-d8f3-2516-782e98ab3fa0 -smbios type=1,uuid=other",
	      "deb12", "4dea22b3-1d52-d8f3-2516-782e98ab3fa0");
	check("/usr/bin/kvm -id 100 -name vm100,debug-threads=on -smbios "
	      "type=1,uuid=6d3a1e1c-0000-4000-8000-000000000001 -smp 4",
	      "vm100", "6d3a1e1c-0000-4000-8000-000000000001");
	check("kvm -smbios type=2,uuid=no", "comm-42", "");
}

static void other_vmms(void **state)
{
	(void)state;
	check("/usr/bin/firecracker --api-sock x --id vm-1", "vm-1", "");
	check("firecracker-v1.7.0-x86_64 --id=vm-1", "vm-1", "");
	check("firecracker --name no", "comm-42", "");
	check("crosvm run --name arc,vm vmlinux", "arc,vm", "");
	check("lkvm run --name build -c 2", "build", "");
	check("cloud-hypervisor --api-socket x", "comm-42", "");
}

static void without_a_name(void **state)
{
	struct ks_name n;

	(void)state;
	check("", "comm-42", "");
	put("cmdline", "", 0);
	put("comm", "my vmm\n", 7);
	assert_int_equal(ident__resolve(proc, TGID, "", &n), 0);
	assert_string_equal(n.name, "my vmm-42");
	assert_int_equal(ident__resolve(proc, TGID, NULL, &n), 0);
	assert_string_equal(n.name, "my vmm-42");
	assert_int_equal(ident__resolve(proc, TGID, "0123456789abcdefNOT", &n), 0);
	assert_string_equal(n.name, "0123456789abcdef-42");
	unlink(path_of("comm"));
	assert_int_equal(ident__resolve(proc, TGID, NULL, &n), 0);
	assert_string_equal(n.name, "vm-42");
}

static void gone(void **state)
{
	struct ks_name n;

	(void)state;
	assert_int_equal(ident__resolve(proc, 43, "qemu", &n), -ENOENT);
	assert_string_equal(n.name, "qemu-43");
	assert_string_equal(n.uuid, "");
	assert_string_equal(n.cgroup, "");
}

static bool padded(const char *field, size_t size)
{
	for (size_t i = strlen(field); i < size; i++)
		if (field[i])
			return false;
	return true;
}

static void nothing_else_is_written(void **state)
{
	struct ks_name n = resolve("qemu -name web");

	(void)state;
	assert_true(padded(n.name, sizeof(n.name)));
	assert_true(padded(n.uuid, sizeof(n.uuid)));
	assert_true(padded(n.cgroup, sizeof(n.cgroup)));
	assert_int_equal(n.vm, 0x5a5a5a5a);
	assert_int_equal(n.h.type, 'Z');
}

static void long_names(void **state)
{
	char cmdline[1024] = "qemu -name ", *name = cmdline + strlen(cmdline);
	struct ks_name n;

	(void)state;
	memset(name, 'n', 300);
	n = resolve(cmdline);
	assert_int_equal(strlen(n.name), 95);
	for (int i = 0; i < 150; i++)
		memcpy(name + 2 * i, "\xc3\xbc", 2);
	n = resolve(cmdline);
	assert_int_equal(strlen(n.name), 94); /* the 48th letter would be cut in two */
	strcpy(cmdline, "qemu -uuid ");
	memset(cmdline + 11, '1', 300);
	n = resolve(cmdline);
	assert_int_equal(strlen(n.uuid), 39);
}

static void hostile_names_stay(void **state)
{
	struct ks_name n;

	(void)state;
	put("cmdline", "qemu\0-name\0a \033[2J\n<b>\xff\0", 23);
	assert_int_equal(ident__resolve(proc, TGID, "comm", &n), 0);
	assert_string_equal(n.name, "a \033[2J\n<b>\xff");
	/* no NUL at the end: a process can overwrite its command line */
	put("cmdline", "qemu\0-name\0abc", 14);
	assert_int_equal(ident__resolve(proc, TGID, "comm", &n), 0);
	assert_string_equal(n.name, "abc");
}

static void huge_command_line(void **state)
{
	size_t len = 3 << 20;
	char *bytes = calloc(1, len);
	struct ks_name n;

	(void)state;
	memcpy(bytes, "qemu\0-name\0web", 14);
	memset(bytes + 15, 'x', len - 15);
	put("cmdline", bytes, len);
	free(bytes);
	assert_int_equal(ident__resolve(proc, TGID, "comm", &n), 0);
	assert_string_equal(n.name, "web");
}

static void cgroups(void **state)
{
	char long_path[400] = "0::/";
	struct ks_name n;

	(void)state;
	put("cgroup", "0::/machine.slice/web.scope\n", 28);
	n = resolve("qemu -name web");
	assert_string_equal(n.cgroup, "/machine.slice/web.scope");
	put("cgroup", "12:cpu:/v1\n0::/v2:with:colons\n", 30);
	n = resolve("qemu -name web");
	assert_string_equal(n.cgroup, "/v2:with:colons");
	put("cgroup", "12:cpu:/v1\n", 11);
	n = resolve("qemu -name web");
	assert_string_equal(n.cgroup, "");
	memset(long_path + 4, 'c', 300);
	put("cgroup", long_path, strlen(long_path));
	n = resolve("qemu -name web");
	assert_int_equal(strlen(n.cgroup), sizeof(n.cgroup) - 1);
	unlink(path_of("cgroup"));
}

static void this_process(void **state)
{
	struct ks_name n;
	char want[64];

	(void)state;
	snprintf(want, sizeof(want), "x-%u", (unsigned)getpid());
	assert_int_equal(ident__resolve("/proc", getpid(), "x", &n), 0);
	assert_string_equal(n.name, want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(qemu),
		cmocka_unit_test(libvirt_and_proxmox),
		cmocka_unit_test(other_vmms),
		cmocka_unit_test(without_a_name),
		cmocka_unit_test(gone),
		cmocka_unit_test(nothing_else_is_written),
		cmocka_unit_test(long_names),
		cmocka_unit_test(hostile_names_stay),
		cmocka_unit_test(huge_command_line),
		cmocka_unit_test(cgroups),
		cmocka_unit_test(this_process),
	};

	return cmocka_run_group_tests(tests, make_proc, remove_proc);
}
