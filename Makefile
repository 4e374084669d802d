# SPDX-License-Identifier: BSD-2-Clause
# `make help` lists the targets. Everything built lies below build/; a cross build below build/ARCH:
#	make ARCH=arm64
# Only `make demo` and `make test` install packages (tools/deps).

ARCH	?= $(shell uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
HOST	:= $(shell uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
KERNEL	?= 6.12
EVENTS	?= 10M

ifeq ($(ARCH),$(HOST))
CROSS	:=
B	:= build
else
CROSS	:= $(if $(filter arm64,$(ARCH)),aarch64-linux-gnu-,x86_64-linux-gnu-)
B	:= build/$(ARCH)
endif

CC	:= $(CROSS)gcc
CLANG	?= clang
BPFTOOL	?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PREFIX	?= /usr/local

VERSION	:= 0.5.0
COMMIT	:= $(shell tools/version)
TRIPLET	:= $(if $(filter arm64,$(ARCH)),aarch64-linux-gnu,x86_64-linux-gnu)
WARN	:= -Wall -Wextra -Wno-missing-field-initializers -Wno-address-of-packed-member -Werror
CFLAGS	?= -O2 -g
ALL	:= -std=gnu11 $(WARN) $(CPPFLAGS) $(CFLAGS) -Ibpf -Iuser -I$(B) -MMD -MP
# libcgraph's development package does not exist for two architectures at once, its library does.
LIBS	:= -lbpf -lelf -lz -lcap -lseccomp -lyajl -lprotobuf-c -lm -lncursesw -ltinfo -lmicrohttpd $(if $(CROSS),-l:libcgraph.so.6,-lcgraph)
BPFARCH	:= $(if $(filter arm64,$(ARCH)),arm64,x86)

# A line per file made; V=1 shows the commands.
Q	:= $(if $(V),,@)
made	= $(if $(V),,@printf '  %-8s %s\n' $(1) $@)

USER	:= $(wildcard user/*.c)
OBJ	:= $(USER:user/%.c=$(B)/%.o) $(B)/rules.o $(B)/perfetto.pb-c.o
UNITS	:= $(patsubst tests/unit/test_%.c,%,$(wildcard tests/unit/test_*.c))
SCRIPTS	= $(shell grep -lE '^\#!.*(bash|/sh)' -r tools tests .ci)

.PHONY: all static deb install uninstall demo test unit bench pictures check-style format clean help workload
all: $(B)/kvmsched ## build build/kvmsched

# -- the kernel side
$(B)/kvmsched.bpf.o: bpf/kvmsched.bpf.c $(wildcard bpf/*.h vmlinux/*.h) | $(B)
	$(call made,BPF)
	$(Q)$(CLANG) -g -O2 -ffile-prefix-map=$(CURDIR)=. -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPFARCH) -Ibpf -Ivmlinux \
		-isystem /usr/include/$(TRIPLET) -isystem /usr/$(TRIPLET)/include \
		-Wall -Wextra -Wno-unused-parameter -Werror -c $< -o $@

$(B)/kvmsched.skel.h: $(B)/kvmsched.bpf.o
	$(call made,GEN)
	$(Q)$(BPFTOOL) gen skeleton $< name kvmsched_bpf > $@.tmp && mv $@.tmp $@

# -- user space
$(B)/version.h: FORCE | $(B)
	@printf '#define KVMSCHED_%s "%s"\n' VERSION $(VERSION) COMMIT $(COMMIT) > $@.tmp; \
		cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@
FORCE:

$(B)/%.o: user/%.c | $(B) $(B)/version.h
	$(call made,CC)
	$(Q)$(CC) $(ALL) -c $< -o $@
$(B)/live.o $(B)/live_load.o: $(B)/kvmsched.skel.h
$(B)/html_page.o $(B)/unit/html_page.o: $(wildcard user/html/*)

# The built-in rules: DOT to C, by the reader that --model has. It runs here, whatever is built.
MODELS	:= $(wildcard user/models/*.dot)
GENERATE := user/models/generate.c $(addprefix user/,automaton.c automaton_build.c automaton_verify.c \
	compare.c dot.c err.c event.c label.c units.c)
build/generate-rules: $(GENERATE) $(wildcard user/*.h bpf/wire.h) | $(B)
	$(call made,LD)
	$(Q)mkdir -p build && gcc -std=gnu11 $(WARN) -O1 -g -Ibpf -Iuser $(GENERATE) -o $@ -lcgraph

$(B)/rules.c: build/generate-rules $(MODELS)
	$(call made,GEN)
	$(Q)build/generate-rules $(MODELS) > $@.tmp && mv $@.tmp $@

$(B)/rules.o: $(B)/rules.c
	$(call made,CC)
	$(Q)$(CC) $(ALL) -c $< -o $@

# Perfetto's format, as far as it is written.
$(B)/perfetto.pb-c.c: user/perfetto.proto | $(B)
	$(call made,GEN)
	$(Q)protoc-c --proto_path=user --c_out=$(B) $<
$(B)/perfetto.pb-c.o: $(B)/perfetto.pb-c.c
	$(call made,CC)
	$(Q)$(CC) $(ALL) -c $< -o $@
$(B)/perfetto_state.o: $(B)/perfetto.pb-c.c

$(B)/kvmsched: $(OBJ)
	$(call made,LD)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDFLAGS) $(LIBS)

# One file that needs nothing of the machine it runs on. A file in user/static/ takes the place of the one of that
# name in user/; libraries that have no static twin, or one of another name, are the exceptions here.
STATIC	:= $(wildcard user/static/*.c)
STATIC_OBJ := $(filter-out $(STATIC:user/static/%.c=$(B)/%.o),$(OBJ)) $(STATIC:user/%.c=$(B)/%.o)
STATIC_LIBS := $(patsubst -lyajl,-lyajl_s,$(filter-out -lcgraph -l:libcgraph.so.6,$(LIBS)))

static: $(B)/static/kvmsched ## build build/static/kvmsched, one file without libraries
$(B)/static:
	@mkdir -p $@
$(STATIC:user/%.c=$(B)/%.o): | $(B)/static
$(B)/static/kvmsched: $(STATIC_OBJ)
	$(call made,LD)
	$(Q)$(CC) $(CFLAGS) -static -Wl,--fatal-warnings -o $@ $^ $(LDFLAGS) $(STATIC_LIBS)

$(B):
	@mkdir -p $@

# -- tests
workload: $(B)/workload $(B)/hooks $(B)/agree $(B)/multiply $(B)/bench_top $(B)/bench_serve ## build what the tests run: the guests' program, and helpers
$(B)/workload: $(wildcard tests/vm/workload*.c tests/vm/workload*.h) | $(B)
	$(call made,LD)
	$(Q)$(CC) -std=gnu11 $(WARN) $(CFLAGS) -pthread -static $(filter %.c,$^) -o $@

# What is made of kvmsched's own parts.
$(B)/hooks: tests/vm/hooks.c $(B)/kvmsched.skel.h
$(B)/agree: tests/vm/agree.c
$(B)/multiply: tools/multiply.c
$(B)/bench_top: tests/bench_top.c
$(B)/bench_serve: tests/bench_serve.c
$(B)/hooks $(B)/agree $(B)/multiply $(B)/bench_top $(B)/bench_serve: $(filter-out $(B)/main.o,$(OBJ))
	$(call made,LD)
	$(Q)$(CC) $(ALL) -Itests/unit -o $@ $(filter %.c %.o,$^) $(LDFLAGS) $(LIBS)

# Unit tests link what they use of user space; a test may have its own stand-in for any of it.
SAN	:= -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

$(B)/unit:
	@mkdir -p $@
$(B)/unit/%.o: user/%.c | $(B)/unit $(B)/kvmsched.skel.h $(B)/version.h
	$(call made,CC)
	$(Q)$(CC) -std=gnu11 $(WARN) $(SAN) -Ibpf -Iuser -I$(B) -MMD -MP -c $< -o $@
$(B)/unit/rules.o: $(B)/rules.c | $(B)/unit
	$(call made,CC)
	$(Q)$(CC) -std=gnu11 $(WARN) $(SAN) -Ibpf -Iuser -MMD -MP -c $< -o $@
$(B)/unit/perfetto.pb-c.o: $(B)/perfetto.pb-c.c | $(B)/unit
	$(call made,CC)
	$(Q)$(CC) -std=gnu11 $(WARN) $(SAN) -I$(B) -MMD -MP -c $< -o $@
$(B)/unit/perfetto_state.o: $(B)/perfetto.pb-c.c
$(B)/unit/lib.a: $(patsubst user/%.c,$(B)/unit/%.o,$(filter-out user/main.c,$(USER))) $(B)/unit/rules.o $(B)/unit/perfetto.pb-c.o
	$(call made,AR)
	$(Q)rm -f $@ && $(CROSS)ar rcs $@ $^
$(B)/unit/test_%: tests/unit/test_%.c $(wildcard tests/unit/*.h) $(B)/unit/lib.a
	$(call made,LD)
	$(Q)$(CC) -std=gnu11 $(WARN) $(SAN) -Ibpf -Iuser -I$(B) $< $(B)/unit/lib.a -o $@ -lcmocka $(LIBS)

unit: $(UNITS:%=$(B)/unit/test_%) ## unit tests, under the address and undefined-behaviour sanitizers
	@tests/run-units $^

test: ## everything CI runs; installs what is missing
	tools/deps test arm64 ships
	tests/run

demo: ## boot the embedded KVM host, trace two VMs, show the result (KERNEL=6.1, 6.12, newest ...)
	tools/deps demo
	$(MAKE) --no-print-directory all workload
	tests/vm/demo $(KERNEL)

bench: all workload ## what tracing costs and how fast recordings are read, beside other tools (EVENTS=50M)
	@tests/vm/bench $(KERNEL); cost=$$?; tests/bench-decode -k $(KERNEL) $(EVENTS) && \
		tests/check-cost build/bench/decode/real && \
		tests/bench-export build/bench/decode/real $(EVENTS) && \
		tests/bench-top && tests/bench-serve && tests/bench-html && exit $$cost

pictures: all workload ## make docs/img anew, of real recordings
	@tools/pictures -k $(KERNEL)

check-style: ## formatting, shell scripts, include circles
	clang-format --dry-run -Werror bpf/*.[ch] vmlinux/*.h user/*.[ch] user/models/*.c user/static/*.c tests/unit/*.c tests/vm/*.[ch] tools/*.c
	shellcheck -x -P SCRIPTDIR $(SCRIPTS)
	@echo "ok style"

format: ## format the sources
	clang-format -i bpf/*.[ch] vmlinux/*.h user/*.[ch] user/models/*.c user/static/*.c tests/unit/*.c tests/vm/*.[ch] tools/*.c

# Of the units the program's place is put right; where there are none, none are installed.
UNITDIR	?= $(PREFIX)/lib/systemd/system
COMPLETIONS := $(PREFIX)/share/bash-completion/completions
UNITS_OF_SYSTEMD := $(wildcard tools/systemd/kvmsched.service tools/systemd/kvmsched.socket)

install: all ## install below PREFIX (/usr/local), or DESTDIR/PREFIX
	install -D -m 755 $(B)/kvmsched $(DESTDIR)$(PREFIX)/bin/kvmsched
	for s in 1 5; do install -d $(DESTDIR)$(PREFIX)/share/man/man$$s && \
		install -m 644 docs/*.$$s $(DESTDIR)$(PREFIX)/share/man/man$$s/ || exit; done
	install -D -m 644 tools/completion/kvmsched.bash $(DESTDIR)$(COMPLETIONS)/kvmsched
	for u in $(UNITS_OF_SYSTEMD); do install -D -m 644 $$u $(DESTDIR)$(UNITDIR)/$${u##*/} && \
		sed -i 's|/usr[a-z/]*/kvmsched|$(PREFIX)/bin/kvmsched|' $(DESTDIR)$(UNITDIR)/$${u##*/} || exit; done

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/kvmsched $(DESTDIR)$(COMPLETIONS)/kvmsched \
		$(patsubst docs/%,$(DESTDIR)$(PREFIX)/share/man/man1/%,$(wildcard docs/*.1)) \
		$(patsubst docs/%,$(DESTDIR)$(PREFIX)/share/man/man5/%,$(wildcard docs/*.5)) \
		$(UNITS_OF_SYSTEMD:tools/systemd/%=$(DESTDIR)$(UNITDIR)/%)

deb: ## build build/deb/kvmsched.deb, a Debian package
	@tools/deb

clean: ## remove build/
	rm -rf build

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

-include $(wildcard $(B)/*.d $(B)/static/*.d $(B)/unit/*.d)
