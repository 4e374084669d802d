/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who a VM is: the one place that finds its name, UUID and cgroup, from its VMM's command line and
 * /proc. The texts are those of whoever runs the VM, byte for byte: escape them before printing.
 */
#ifndef KVMSCHED_IDENT_H
#define KVMSCHED_IDENT_H

#include "wire.h"

/* Fills out's name, uuid and cgroup (nothing else), each NUL-padded and cut at a UTF-8 boundary;
 * uuid and cgroup are "" where unknown. proc: "/proc". comm: the VMM's (at most KS_COMM_LEN bytes),
 * or NULL to read it. Without a name of its own the VM is called COMM-TGID. Returns 0, or -errno
 * when the command line cannot be read; out is filled even then. */
int ident__resolve(const char *proc, __u32 tgid, const char *comm, struct ks_name *out);

#endif
