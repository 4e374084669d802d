// SPDX-License-Identifier: BSD-2-Clause
/*
 * The report on this host, for people and as JSON: the verdict first. Everything in it was found
 * out by host.c; this only words it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "err.h"
#include "host.h"
#include "info.h"
#include "wire.h"

typedef void (*line_fn)(void *ctx, const char *line);

/* Each line of what host__advise() says. */
static int for_advice(const struct host *h, line_fn fn, void *ctx)
{
	char *text = NULL, *next, *line;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return err__say(errno, "collecting advice");
	host__advise(h, f);
	if (fclose(f)) {
		free(text);
		return err__say(ENOMEM, "collecting advice");
	}
	for (next = text; (line = strsep(&next, "\n"));)
		if (*line)
			fn(ctx, line);
	free(text);
	return 0;
}

static bool hookable(const struct host *h, int i)
{
	return h->hook[i] && !h->no_ftrace[i];
}

/* Things worth knowing that do not stand in the way. */
static void for_notes(const struct host *h, line_fn fn, void *ctx)
{
	if (h->kvm == HOST_KVM_MODULE)
		fn(ctx,
		   "while kvmsched traces, its programs keep kvm.ko in use: rmmod kvm fails until it "
		   "ends");
	if (h->kvm != HOST_KVM_NONE && !h->dev_kvm)
		fn(ctx,
		   h->kvm == HOST_KVM_MODULE
			   ? "no /dev/kvm: kvm_amd or kvm_intel is not loaded, or this is a container"
			   : "no /dev/kvm: the CPU offers KVM no virtualisation, or this is a container");
	if (h->pid_ns)
		fn(ctx,
		   "this is a container's PID namespace: the names of VMs cannot be found unless it "
		   "shares the host's");
	if (h->btf_file && !h->btf_file_err)
		fn(ctx, "the fields are those of the file given with --btf");
}

/* ---- for people --------------------------------------------------------------------------- */

static void print_line(void *ctx, const char *line)
{
	const struct term *t = ctx;
	char safe[ESCAPE_SIZE(1024)];

	escape__str(t->escape, line, safe, sizeof(safe));
	printf("  %s\n", safe); /* file names can be in it */
}

static void print_note(void *ctx, const char *line)
{
	(void)ctx;
	printf("\nNote: %s.\n", line);
}

static int print_verdict(struct term *t, const struct host *h)
{
	bool usable = host__usable(h);
	enum term_style style = usable ? STYLE_GOOD : STYLE_BAD;
	int err;

	printf("%s%s%s\n", term__on(t, style),
	       usable ? "This host can be traced." : "This host cannot be traced:",
	       term__off(t, style));
	err = for_advice(h, print_line, t);
	putchar('\n');
	return err;
}

static void print_kernel(const struct host *h)
{
	info_row("kernel", "%s (%s%s): %s", h->release, h->arch, h->rt ? ", PREEMPT_RT" : "",
		 host__verdict_name(h->verdict));
	info_row("KVM", "%s",
		 h->kvm == HOST_KVM_NONE     ? "not there"
		 : h->kvm == HOST_KVM_MODULE ? "a module (kvm.ko), loaded"
					     : "built into the kernel");
}

static const char *btf_state(int err)
{
	if (err == EINVAL || err >= __LIBBPF_ERRNO__START)
		return "not BTF";
	return !err ? "readable" : err == ENOENT ? "missing" : strerror(err);
}

static void print_btf(const struct host *h)
{
	info_row("BTF", "of the kernel: %s", btf_state(h->btf_err));
	if (h->vmlinux_btf && h->kvm == HOST_KVM_MODULE)
		info_row("", "of kvm.ko: %s", btf_state(h->kvm_btf_err));
	if (h->btf_file)
		info_row("", "--btf: %s", btf_state(h->btf_file_err));
}

static void print_hooks(const struct term *t, const struct host *h)
{
	const char *label = "hooks";

	if (h->kvm == HOST_KVM_NONE || !h->vmlinux_btf) {
		info_row(label, "not known without %s", h->vmlinux_btf ? "KVM" : "BTF");
		return;
	}
	for (int i = 0; i < HOST_HOOKS; i++) {
		enum term_style style = hookable(h, i) ? STYLE_GOOD : STYLE_BAD;

		info_row(i ? "" : label, "%-24s %s%s%s", host_hook_names[i], term__on(t, style),
			 hookable(h, i) ? "yes"
			 : h->hook[i]	? "ftrace cannot hook it"
					: "not in the BTF",
			 term__off(t, style));
	}
}

static void print_fields(const struct term *t, const struct host *h)
{
	if (!h->fields_known) {
		info_row("fields", "not known without %s",
			 h->vmlinux_btf && !h->btf_file_err ? "KVM" : "BTF");
		return;
	}
	info_print_fields(t, h->fields);
	if (h->fields & KS_M_QUOTA)
		info_row("", "%-14s %-3s  %s", "", "",
			 h->quota_per_task ? "(by the vCPU's own thread)"
					   : "(by its cgroup and those above, on that CPU)");
	if (h->missing_field)
		info_row("", "%-19s  missing, and cannot be done without", h->missing_field);
}

static void print_permissions(const struct host *h)
{
	const struct {
		const char *name;
		bool have;
	} caps[] = {
		{"CAP_BPF", h->cap_bpf},
		{"CAP_PERFMON", h->cap_perfmon},
		{"CAP_SYS_ADMIN", h->cap_sys_admin},
	};

	for (size_t i = 0; i < sizeof(caps) / sizeof(*caps); i++)
		info_row(i ? "" : "permissions", "%-14s %s%s", caps[i].name,
			 caps[i].have ? "yes" : "no",
			 caps[i].have && h->user_ns ? " (in a user namespace only)" : "");
	info_row("", "%-14s %s", "bpf(2)",
		 h->bpf_err	      ? strerror(h->bpf_err)
		 : host__permitted(h) ? "yes"
				      : "not tried without capabilities");
}

static int print_host(const struct info_opts *o, const struct host *h)
{
	struct term t;
	int err;

	term__look(&t, STDOUT_FILENO, o->color);
	err = print_verdict(&t, h);
	print_kernel(h);
	print_btf(h);
	print_hooks(&t, h);
	print_fields(&t, h);
	print_permissions(h);
	for_notes(h, print_note, &t);
	return err;
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void json_line(void *ctx, const char *line)
{
	json__str(ctx, line);
}

static void json_kernel(struct json *j, const struct host *h)
{
	static const char *const verdicts[] = {"tested", "expected", "unsupported"};
	static const char *const kvm[] = {"none", "module", "builtin"};

	json__key_str(j, "kernel", h->release);
	json__key_str(j, "arch", h->arch);
	json__key_bool(j, "preempt_rt", h->rt);
	json__key_str(j, "verdict", verdicts[h->verdict]);
	if (*h->why)
		json__key_str(j, "why", h->why);
	json__key_str(j, "kvm", kvm[h->kvm]);
	json__key_bool(j, "dev_kvm", h->dev_kvm);
}

static void json_btf(struct json *j, const struct host *h)
{
	json__key_object(j, "btf");
	json__key_bool(j, "kernel", h->vmlinux_btf);
	if (h->vmlinux_btf && h->kvm == HOST_KVM_MODULE)
		json__key_bool(j, "kvm", !h->kvm_btf_err);
	if (h->btf_file) {
		json__key_str(j, "path", h->btf_file);
		json__key_bool(j, "file", !h->btf_file_err);
	}
	json__end_object(j);
}

/* What is not known is not there. */
static void json_hooks(struct json *j, const struct host *h)
{
	if (h->kvm == HOST_KVM_NONE || !h->vmlinux_btf)
		return;
	json__key_array(j, "hooks");
	for (int i = 0; i < HOST_HOOKS; i++) {
		json__object(j);
		json__key_str(j, "name", host_hook_names[i]);
		json__key_bool(j, "present", h->hook[i]);
		if (h->traceable_known)
			json__key_bool(j, "traceable", hookable(h, i));
		json__end_object(j);
	}
	json__end_array(j);
}

static void json_fields(struct json *j, const struct host *h)
{
	if (!h->fields_known)
		return;
	json__key_object(j, "fields");
	info_json_fields(j, h->fields);
	json__end_object(j);
	if (h->fields & KS_M_QUOTA)
		json__key_str(j, "quota_by", h->quota_per_task ? "task" : "group");
	if (h->missing_field)
		json__key_str(j, "missing_field", h->missing_field);
}

static void json_permissions(struct json *j, const struct host *h)
{
	json__key_object(j, "permissions");
	json__key_bool(j, "enough", host__permitted(h));
	json__key_bool(j, "cap_bpf", h->cap_bpf);
	json__key_bool(j, "cap_perfmon", h->cap_perfmon);
	json__key_bool(j, "cap_sys_admin", h->cap_sys_admin);
	json__key_bool(j, "user_namespace", h->user_ns);
	json__key_bool(j, "pid_namespace", h->pid_ns);
	json__key_bool(j, "bpf_refused", h->bpf_err);
	json__key_bool(j, "lockdown", h->lockdown);
	json__key_bool(j, "jit", h->jit);
	json__end_object(j);
}

static int json_host(const struct host *h)
{
	struct json *j = json__new(stdout, JSON_PRETTY);
	int err, close_err;

	json__object(j);
	json__key_u64(j, "schema", 1);
	json__key_str(j, "what", "host");
	json__key_bool(j, "usable", host__usable(h));
	json_kernel(j, h);
	json_btf(j, h);
	json_hooks(j, h);
	json_fields(j, h);
	json_permissions(j, h);
	json__key_array(j, "advice");
	err = for_advice(h, json_line, j);
	json__end_array(j);
	json__key_array(j, "notes");
	for_notes(h, json_line, j);
	json__end_array(j);
	json__end_object(j);
	close_err = json__close(j);
	return close_err ? err__say(close_err, "writing JSON") : err;
}

int info_host(const struct info_opts *o)
{
	struct host h;
	bool usable;
	int err;

	host__look(&h, o->btf);
	host__look_traceable(&h, "");
	usable = host__usable(&h);
	err = o->json ? json_host(&h) : print_host(o, &h);
	host__free(&h);
	if (err || info_flush())
		return EXIT_ERROR;
	return usable ? EXIT_FINE : EXIT_ERROR;
}
