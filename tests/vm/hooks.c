// SPDX-License-Identifier: BSD-2-Clause
/*
 * hooks default|full|light CMD [ARG...]: runs CMD while an empty program hangs on every function
 * that kvmsched hooks in this mode: what hooking alone costs. The list is kvmsched's own: its
 * programs are loaded (which finds the functions in the kernel's BTF), but not attached. Exit
 * status: CMD's, 125 if it could not be done.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "err.h"
#include "live_load.h"
#include "wire.h"
#include "kvmsched.skel.h"

#define CANNOT	   125
#define RING_BYTES 65536 /* never written */

static const struct bpf_insn nothing[] = {
	{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
	{.code = BPF_JMP | BPF_EXIT},
};

/* An empty program where the loaded one belongs; it stays as long as this process. */
static int hook_empty(const struct bpf_program *p)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	const char *name = bpf_program__name(p);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int fd;

	if (bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len))
		return err__say(errno, "%s: bpf_obj_get_info_by_fd", name);
	opts.expected_attach_type = bpf_program__expected_attach_type(p);
	opts.attach_btf_id = info.attach_btf_id;
	opts.attach_btf_obj_fd = bpf_btf_get_fd_by_id(info.attach_btf_obj_id);
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, name, "GPL", nothing,
			   sizeof(nothing) / sizeof(*nothing), &opts);
	if (fd < 0 || bpf_raw_tracepoint_open(NULL, fd) < 0)
		return err__say(errno, "%s: an empty program", name);
	return 0;
}

static int hook_all(enum session_mode mode)
{
	const struct filter everything = {};
	const struct live_opts o = {.mode = mode,
				    .ring_bytes = RING_BYTES,
				    .max_vcpus = KS_SLOTS,
				    .filter = &everything};
	struct kvmsched_bpf *skel = NULL;
	struct bpf_program *p;
	int err = live_load(&skel, &o, libbpf_num_possible_cpus());

	if (err)
		return err;
	bpf_object__for_each_program(p, skel->obj)
	{
		if (!err && bpf_program__autoload(p) &&
		    bpf_program__expected_attach_type(p) != BPF_TRACE_ITER)
			err = hook_empty(p);
	}
	kvmsched_bpf__destroy(skel);
	return err;
}

static int run(char **argv)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execvp(argv[0], argv);
		err__say(errno, "%s", argv[0]);
		_exit(CANNOT);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return CANNOT;
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	enum session_mode mode;

	err__set_command("hooks");
	if (argc < 3 || session__mode_from_name(argv[1], &mode)) {
		fputs("usage: hooks default|full|light CMD [ARG...]\n", stderr);
		return CANNOT;
	}
	return hook_all(mode) ? CANNOT : run(argv + 2);
}
