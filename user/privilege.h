/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Least privilege: once programs are loaded and attached, all that is left to do is to read shared
 * memory and to show it. Whatever else this process could do is given up for good, so that a bug in
 * what handles names from VMs, or requests from a network, is worth little.
 */
#ifndef KVMSCHED_PRIVILEGE_H
#define KVMSCHED_PRIVILEGE_H

/* What a command still does besides reading, and writing to what is open. */
enum privilege_use {
	PRIVILEGE_FILES = 1,   /* makes, writes and replaces files */
	PRIVILEGE_SOCKETS = 2, /* takes connections on sockets that listen already, and answers */
};

/* Drops capabilities, sets no_new_privs, loads a seccomp filter; `uses` are PRIVILEGE_*. From then
 * on nothing can be loaded, attached or run, and files can be opened for reading only unless
 * PRIVILEGE_FILES. Call it after everything is attached and a traced command is forked (that one
 * keeps what it was started with), before any thread is made. 0, or -errno having said why; then
 * some of it may be gone. */
int privilege__drop(unsigned uses);

/* The filter alone, which privilege__drop() loads last. 0 or -errno. Says that the kernel has no
 * seccomp where that is so: that is no error. */
int privilege__filter(unsigned uses);

#endif
