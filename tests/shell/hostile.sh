#!/bin/sh
# SPDX-License-Identifier: MIT
# errpipe explain in a root made by an attacker. Each run ends with an answer that is harmless on a terminal, and stays within a
# limit of system calls, which strace counts. Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=tests/support/tap
. "$ERRPIPE_SRC/tests/support/tap"
cd "$tmp" || exit 1
errpipe=$ERRPIPE_BUILD/errpipe
mkdir root

# The limit of system calls in one run, including those that start the process and print the answer.
limit=2500

# U+0080 to U+009f are control characters as well.
c1=$(printf '\302[\200-\237]')

# calls: print the number of system calls. strace splits a call over two lines if another process interrupts it.
calls() {
	grep -vc ' resumed>' calls
}

# looks ARG...: errpipe explain ends by itself with 0 or 1, prints lines without control characters, and stays within the limit.
looks() {
	status=0
	rm -f calls
	timeout 60 strace -f -qq -e signal=none -o calls "$errpipe" explain "$@" >out 2>&1 </dev/null || status=$?
	cat out
	echo "exit status $status, $(calls) system calls"
	[ "$status" -le 1 ] && [ -s out ] && [ "$(calls)" -lt "$limit" ] &&
		! tr -d '\n' <out | LC_ALL=C grep -q "[[:cntrl:]]\|$c1"
}

# both TITLE PATH [OPTION...]: test the output for people and the JSON.
both() {
	what=$1 path=$2
	shift 2
	try "$what" looks --root root "$@" -- "$path"
	try "$what, as JSON" looks --json --root root "$@" -- "$path"
}

# stays SECRET PATH: errpipe explain opens nothing outside the root.
stays() {
	looks --root root "$2" && ! grep -E "(open|stat|readlink|access)[a-z0-9]*\(.*\"$1" calls
}

# --- links

ln -s ../../../../../../../../../../secret root/out
ln -s / root/top && ln -s top/top/../../out root/far
echo '#!/../../../../secret' >root/script-out && chmod 755 root/script-out
echo 'secret' >secret && chmod 755 secret
for path in /out /far /script-out /../../secret top/../../secret; do
	try "$path does not lead out" stays "$tmp/secret" "$path"
done
ln -s b root/a && ln -s a root/b
ln -s self/self root/self
both 'links in a circle' /a
both 'a link to itself' /self
i=0
ln -s 0 root/start
while [ "$i" -lt 100 ]; do
	ln -s "$((i + 1))" "root/$i"
	i=$((i + 1))
done
both 'a hundred links' /start
# Each link leads twice through the one before, which makes 2^40 steps.
mkdir root/deep
i=1
ln -s . root/deep/0
while [ "$i" -le 40 ]; do
	ln -s "$((i - 1))/$((i - 1))" "root/deep/$i"
	i=$((i + 1))
done
both 'links of links' /deep/40
long=$(printf '%0250d' 0)
ln -s "$long/$long/$long/$long/$long/$long/$long/$long/$long/$long/$long/$long/$long/$long/$long" root/long
both 'a link of four thousand bytes' /long
i=0 path=
while [ "$i" -lt 1000 ]; do
	path=$path/..
	i=$((i + 1))
done
limit=12000
both 'a thousand ".."' "$path/a"
both 'a thousand ".." between two links' "/top$path/top/none"
# Forty links of 1350 steps each: the kernel allows forty links, but explain gives up before.
times=$(printf '%01350d' 0 | sed 's|0|../|g')
i=0
while [ "$i" -lt 40 ]; do
	ln -s "${times}up$((i + 1))" "root/up$i"
	i=$((i + 1))
done
limit=100000
try 'forty links of a thousand ".." each' looks --root root /up0
limit=2500

# --- chains of scripts

i=0
while [ "$i" -lt 20 ]; do
	printf '#!/s%s\n' "$((i + 1))" >"root/s$i"
	i=$((i + 1))
done
printf '#!/me\n' >root/me
chmod 755 root/s[0-9]* root/me
both 'twenty scripts' /s0
both 'a script that is its own interpreter' /me

# --- special files

mkfifo root/fifo
both 'a FIFO' /fifo
printf '#!/fifo\n' >root/to-fifo && chmod 755 root/to-fifo
chmod 755 root/fifo
both 'a FIFO as interpreter' /to-fifo
mkdir -p root/etc && mkfifo root/etc/ld.so.cache root/etc/ld.so.conf
both 'FIFOs in places that it may read' /none
if [ "$(id -u)" = 0 ]; then
	mknod -m 777 root/zero c 1 5 2>/dev/null
	mknod -m 777 root/tty c 5 0 2>/dev/null
	both 'a device' /zero
	both 'a terminal' /tty
fi

# --- huge files

for size in 4T 1; do
	for head in script elf; do
		case $head in
		script) printf '#!/%0300d' 0 >root/endless ;;
		elf) head -c 4096 "$ERRPIPE_BUILD/errpipe" >root/endless ;;
		esac
		chmod 755 root/endless
		[ "$size" = 1 ] || truncate -s "$size" root/endless 2>/dev/null || truncate -s 15T root/endless 2>/dev/null ||
			truncate -s 1T root/endless
		both "$head, $size" /endless
	done
done
where=0
# headers OFFSET: a file with 65535 program headers at this offset.
headers() {
	head -c 4096 "$ERRPIPE_BUILD/errpipe" >root/headers && truncate -s 1T root/headers && chmod 755 root/headers &&
		printf '\377\377' | dd of=root/headers bs=1 seek=56 conv=notrunc status=none &&
		printf %b "$1" | dd of=root/headers bs=1 seek=32 conv=notrunc status=none
}
for offset in '\0000\0000\0000\0000\0200\0000\0000\0000' '\0377\0377\0377\0377\0377\0377\0377\0177' \
	'\0377\0377\0377\0377\0377\0377\0377\0377' '\0100\0000\0000\0000\0000\0000\0000\0000'; do
	try 'program headers' headers "$offset"
	where=$((where + 1))
	both "program headers at offset $where of the list" /headers
done
# A sparse file of a gigabyte.
interp() {
	cp "$errpipe" root/interp && truncate -s 1G root/interp
}
try 'a program' interp
both 'a program of a gigabyte' /interp

# --- directories

# A million files, in a tmpfs that vanishes with its namespace. The loader and library directories are links to it. Each run leaves
# its output and its system calls in looks/.
mkdir root/few root/many looks
cp "$errpipe" root/app
for directory in lib lib64 usr/lib; do
	mkdir -p "root/${directory%/*}"
	ln -s /many "root/$directory" 2>/dev/null
done
cat >look <<'END'
for look in "few /few/none" "many /many/none" "app /app" "json --json /app"; do
	set -- $look
	name=$1 status=0
	shift
	timeout 60 strace -f -qq -e signal=none -o "looks/$name.calls" "$errpipe" explain --root root "$@" >"looks/$name" 2>&1 ||
		status=$?
	echo "$status" >"looks/$name.status"
done
END
in_namespace='unshare -m' namespaces=mount-namespaces
[ "$(id -u)" = 0 ] || in_namespace='unshare -rm' namespaces=user-namespaces
among_a_million() {
	# $in_namespace is a command. The inner shell expands the rest.
	# shellcheck disable=SC2016,SC2086
	errpipe=$errpipe $in_namespace sh -ec 'mount -t tmpfs -o nr_inodes=1000100 none root/many
		perl -e '"'"'for (1 .. 1000000) { open(F, ">", "root/many/$_") or die $! }'"'"'
		. ./look'
}
# is_answered NAME: the saved run meets the conditions of looks().
is_answered() {
	calls=$(grep -vc ' resumed>' "looks/$1.calls")
	cat "looks/$1"
	echo "exit status $(cat "looks/$1.status"), $calls system calls"
	[ "$(cat "looks/$1.status")" -le 1 ] && [ -s "looks/$1" ] && [ "$calls" -lt "$limit" ]
}
# The search for a similar name reads a part of the directory.
at_most_100_more() {
	few=$(grep -vc ' resumed>' looks/few.calls) many=$(grep -vc ' resumed>' looks/many.calls)
	echo "few $few, many $many"
	[ $((many - few)) -le 100 ]
}
if has 'a directory of a million files' "$namespaces"; then
	try 'a directory of a million files' among_a_million
	for name in few many app json; do
		try "among a million: $name" is_answered "$name"
	done
	try 'a full directory takes at most 100 calls more than an empty one' at_most_100_more
fi

# --- /proc in the root, and names

mkdir -p root/proc
if has '/proc in the root' mount-namespaces; then
	in_proc() {
		unshare -m sh -c 'mount -t proc proc root/proc && exec "$@"' sh timeout 60 "$errpipe" explain --root root "$1" >out 2>&1
		status=$?
		cat out
		[ "$status" -le 1 ] && ! grep -q secret out
	}
	for path in exe root/bin/sh cwd/root fd/0 fd/1 task/../exe ns/mnt mem; do
		try "/proc/self/$path" in_proc "/proc/self/$path"
		ln -sf "/proc/self/$path" root/magic
		try "a link to /proc/self/$path" in_proc /magic
	done
fi
name=$(printf 'evil\033]0;x\007\033[31m\n\r\177\302\233x')
printf '#!/\033[2J\007\n' >"root/$name" && chmod 755 "root/$name"
both 'a name that a terminal would obey' "/$name"
ln -s "$name" root/terminal
both 'a link to it' /terminal

# --- a file that keeps changing

mkdir -p root/changes
changing() {
	status=0
	SEED=$1 timeout 100 "$ERRPIPE_BUILD/tests/prog_changes" root/changes timeout 60 "$errpipe" explain --json --root root /changes/x >out 2>&1 ||
		status=$?
	echo "seed $1, exit status $status"
	cat out
	[ "$status" -le 1 ] && jq -e .cause out >/dev/null
}
all_changes() {
	i=1
	while [ "$i" -le 60 ]; do
		changing "$i" || return 1
		i=$((i + 1))
	done
}
if has 'a file that changes at each access' fuse; then
	try 'a file that changes at each access' all_changes
fi

echo "1..$n"
exit "$failed"
