#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Inside the emulated machine, which is bare: busybox, no library. Called by tests/vm/ships.
#
#   guest-ships.sh CHECKOUT ROOT.tar COMMIT
set -u
top=$1 tar=$2 commit=$3
dir=/tmp/ships
debian=$dir/debian
mkdir -p $debian

# ok NAME WHY: it is so if WHY is empty.
ok()
{
	if [ -n "$2" ]; then
		echo "not ok $1: $(echo "$2" | tr '\n' ' ' | head -c 600)"
	else
		echo "ok $1"
	fi
}

# ends NAME STATUS WORDS COMMAND...: ends like that, and says WORDS; both its outputs: $dir/out.
ends()
{
	name=$1 want=$2 words=$3
	shift 3
	"$@" >$dir/out 2>&1
	got=$?
	why=''
	[ $got = "$want" ] || why="ends with $got, not $want: $(head -c 400 $dir/out)"
	grep -qF -- "$words" $dir/out || why="$why; does not say: $words: $(head -c 400 $dir/out)"
	ok "$name" "$why"
}

# two_vms: what is recorded.
cat >$dir/two_vms <<END
#!/bin/sh
$top/build/workload -name guest=web --vcpus 2 --mode spin,halt --time 2 --seed 1 --json /dev/null &
$top/build/workload -name guest=batch --vcpus 2 --mode spin --time 2 --seed 2 --json /dev/null &
wait
END

# ---- the static program -------------------------------------------------------------------------

kvmsched=$dir/kvmsched
cp "$top/build/static/kvmsched" $kvmsched
echo "# $($kvmsched --version), $(wc -c <$kvmsched) bytes"
ok 'static: there is no library' "$(find /lib /usr/lib /lib64 -name '*.so*' 2>/dev/null | head -3)"
ends 'static: its version' 0 "($commit)" $kvmsched --version
ends 'static: info' 0 'can be traced' $kvmsched info
ends 'static: record' 0 '' $kvmsched record -o $dir/static.ctf -- sh $dir/two_vms
ends 'static: report' 0 batch $kvmsched report -i $dir/static.ctf
ends 'static: check' 0 ' 0 violated' $kvmsched check -i $dir/static.ctf
ends 'static: --model wants the dynamic one' 1 'is the static kvmsched' \
	$kvmsched check --model "$top/tests/models/created.dot" -i $dir/static.ctf
ends 'static: check --help' 0 '--model' $kvmsched check --help
ends 'static: top, live' 0 'kvmsched top' $kvmsched top --once --interval 500ms -- sh $dir/two_vms
cp -r $dir/static.ctf "$VM_OUT/"

# ---- the package --------------------------------------------------------------------------------

mount -t tmpfs -o size=800M debian $debian
tar -C $debian -xf "$tar" || echo "not ok package: no root directory to install in"
mount -t proc proc $debian/proc
mount -t sysfs sysfs $debian/sys
mount -t bpf bpf $debian/sys/fs/bpf
mount --bind /dev $debian/dev
mkdir -p "$debian$top" $debian/tmp/ships
mount --bind "$top" "$debian$top"
cp "$top/build/deb/kvmsched.deb" $debian/tmp/
cp $dir/two_vms $debian/tmp/ships/

# What there is, dpkg's own notes and logs aside.
files()
{
	(cd $debian && find . -xdev ! -path './var/lib/dpkg/*' ! -path './var/log/*' ! -path './tmp/*' \
		! -path ./var/cache/ldconfig/aux-cache | sort)
}

in_debian()
{
	chroot $debian /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME=/root "$@"
}

files >$dir/before
ends 'package: dpkg -i' 0 'Setting up kvmsched' in_debian dpkg -i /tmp/kvmsched.deb
files >$dir/installed
ok 'package: nothing of it below /usr/local, and nothing below /etc: no unit is enabled' \
	"$(diff $dir/before $dir/installed | grep -E '^[-+]\./(usr/local|etc)' | head -3)"
ends 'package: its version' 0 "($commit)" in_debian kvmsched --version
ends 'package: info' 0 'can be traced' in_debian kvmsched info
for page in $(cd "$top/docs" && ls ./*.[15]); do
	page=${page#./}
	[ -s "$debian/usr/share/man/man${page##*.}/$page.gz" ] || echo "not ok package: man page $page"
done
ends 'package: its man page' 0 'kvmsched' gunzip -c $debian/usr/share/man/man1/kvmsched.1.gz
ends 'package: record' 0 '' in_debian kvmsched record -o /tmp/ships/package.ctf -- sh /tmp/ships/two_vms
ends 'package: report, as nobody' 0 batch in_debian setpriv --reuid 65534 --regid 65534 --clear-groups \
	kvmsched report -i /tmp/ships/package.ctf
ends 'package: --model' 0 created in_debian kvmsched check --rule created --model "$top/tests/models/created.dot" \
	-i /tmp/ships/package.ctf
ends 'package: completion' 0 'timehist timeline' in_debian bash -c "
	. /usr/share/bash-completion/completions/kvmsched
	COMP_WORDS=(kvmsched time) COMP_CWORD=1
	_kvmsched
	echo \${COMPREPLY[*]}"
cp -r $debian/tmp/ships/package.ctf "$VM_OUT/"
ends 'package: dpkg -P' 0 'Removing kvmsched' in_debian dpkg -P kvmsched
files >$dir/after
ok 'package: removed, it leaves nothing' "$(diff $dir/before $dir/after | grep '^[-+]' | head)"
umount "$debian$top" $debian/dev $debian/sys/fs/bpf $debian/sys $debian/proc $debian
