#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs inside the emulated machine (tests/vm/vm, amd64): boots two real QEMU guests there, with kvmsched and the
# kernel's own tracing watching.
#
#   guest-qemu.sh KVMSCHED KERNEL-DIRECTORY (as tests/vm/kernel prints it)
#
# Leaves $VM_OUT/qemu as guest-lib.sh says, and names (pid and name of each VM).
set -u
WATCH_SECONDS=25 # of the guests' boot and work: they are slow, emulated twice
# shellcheck source=tests/vm/guest-lib.sh
. "${0%/*}/guest-lib.sh"

# guest NAME VCPUS: the Debian kernel, then a busybox that works and sleeps.
guest()
{
	qemu-system-x86_64 -accel kvm -cpu host -name "guest=$1,debug-threads=on" -m 160 -smp "$2" \
		-nodefaults -no-user-config -display none -no-reboot -kernel "$kernel/vmlinux" -initrd "$dir/initramfs" \
		-append "panic=-1 quiet tsc=reliable cryptomgr.notests=1 nokaslr" </dev/null >"$dir/$1.log" 2>&1 &
	echo "$! $1" >>"$dir/names"
}

make_initramfs()
{
	mkdir -p "$dir/tree/bin"
	cp "$kernel/busybox" "$dir/tree/bin/busybox"
	cat >"$dir/tree/init" <<-'INIT'
		#!/bin/busybox sh
		while :; do
			i=0
			while [ $i -lt 1000 ]; do
				i=$((i + 1))
			done
			/bin/busybox sleep 0.1
		done
	INIT
	chmod +x "$dir/tree/init"
	(cd "$dir/tree" && find . | cpio --quiet -o -H newc) >"$dir/initramfs"
	rm -rf "$dir/tree"
}

if [ "$1" = inside ]; then
	kernel=$2 dir=$3
	guest vm1 1
	guest vm2 2
	sleep "$WATCH_SECONDS"
	while read -r pid name; do
		kill "$pid" || say "$name has ended: $(cat "$dir/$name.log")"
	done <"$dir/names"
	wait
	exit 0
fi
kvmsched=$1 kernel=$2
trace_setup 49152 || exit 1
begin_run qemu
make_initramfs
"$kvmsched" report --full --loads --buffer 16M -o "$dir/rec" --json -- \
	/bin/sh "$0" inside "$kernel" "$dir" >"$dir/live.json" 2>"$dir/err"
status=$?
rm -f "$dir/initramfs"
end_run qemu $status
