#!/bin/sh
# SPDX-License-Identifier: MIT
# The command in poor or restricted surroundings: without /proc, with hidepid, on a read-only root, on a noexec mount, with full disks
# and pipes, in namespaces, with no_new_privs, as a set-id program, and on older kernels. Verdicts and words are the same everywhere.
# Writes TAP.
# shellcheck disable=SC2317 # try calls the functions
set -u
# shellcheck source=tests/support/command
. "${ERRPIPE_SRC:?}/tests/support/command"
: "${NOLIBC:?}"

# A static command needs no other files.
"$ERRPIPE_SRC/tests/support/make" O="$ERRPIPE_BUILD/static" STATIC=1 || exit 1
cp "$ERRPIPE_BUILD/static/errpipe" errpipe
cp "$ERRPIPE_BUILD/tests/prog_old" old
printf '#!/bin/sh\nexit 7\n' >target
printf 'no program\n' >text
chmod 755 errpipe old target text
"$ERRPIPE_BUILD/dmz" 3 ./text text 3>record

# The commands that are tried everywhere, and their results.
cat >probe <<'END'
say() {
	status=0
	words=$("$@" 2>&1) || status=$?
	echo "$status $words"
}
say ./errpipe run ./target
say ./errpipe run --explain=no ./none
say ./errpipe run --explain=no ./text
say ./errpipe run --route=direct --explain=no ./text
say ./errpipe exec ./target
say ./errpipe exec --explain=no ./text
say ./errpipe decode --path ./text record
say ./errpipe explain ./none | head -n 1
say ./errpipe run sh -c 'kill -9 $$'
ls /proc/self/fd >/dev/null 2>&1 || :
END
cat >expected <<'END'
7 
127 exec ./none: no such file or directory
126 exec ./text: exec format error
126 exec ./text: exec format error
7 
126 exec ./text: exec format error
0 exec ./text: exec format error
1 ./none                   missing
137 
END
# Without /proc errpipe cannot tell whether a killed program had started.
sed 's|^137 $|137 exec /usr/bin/sh: killed by SIGKILL; whether it started is unknown|' expected >expected.blind
sed -i "s|/usr/bin/sh|$(command -v sh)|" expected.blind

# same_in COMMAND...: the probe, run by this command, prints the expected results. blind_in: the same, but without /proc.
blind_in() {
	"$@" timeout 60 sh "$tmp/probe" >got 2>&1 </dev/null
	diff expected.blind got
}
same_in() {
	"$@" timeout 60 sh "$tmp/probe" >got 2>&1 </dev/null
	diff expected got
}

# Commands that make a mount namespace, and a pid namespace with it.
if [ "$(id -u)" = 0 ]; then
	mounts='unshare -m' pids='unshare -mpf' own_mounts=mount-namespaces own_pids=pid-namespaces
else
	mounts='unshare -rm' pids='unshare -rmpf' own_mounts=user-namespaces own_pids=user-namespaces
fi
# within SETUP COMMAND...: in a new mount namespace, run the shell code SETUP and then the command.
within() {
	setup=$1
	shift
	# $mounts is a command.
	# shellcheck disable=SC2086
	$mounts sh -ec "$setup; exec \"\$@\"" sh "$@"
}
in_pids() {
	setup=$1
	shift
	# shellcheck disable=SC2086
	$pids sh -ec "$setup; \"\$@\"" sh "$@"
}

# where NEEDED TITLE HOW SETUP [PROBE]: run a test, or skip it if the machine lacks the ability NEEDED.
where() {
	needed=$1
	shift
	if has "$1" "$needed"; then
		try "$1" "${4:-same_in}" "$2" "$3"
	fi
}

try 'as it is' same_in env
where mount-namespaces 'without /proc' within 'umount -l /proc' blind_in
where $own_mounts 'an empty /proc' within 'mount -t tmpfs none /proc' blind_in
where $own_pids 'the /proc of another pid namespace' in_pids ':' blind_in
where $own_pids 'hidepid=2' in_pids 'mount -t proc -o hidepid=2 proc /proc'
# shellcheck disable=SC2016 # the inner shell expands them
where mount-namespaces 'a read-only root' within 'mount --bind / /; mount -o remount,bind,ro /; cd "$PWD"'
if has 'vm.memfd_noexec' executable-seals; then
	where pid-namespaces 'vm.memfd_noexec=1' in_pids 'mount -t proc proc /proc; echo 1 >/proc/sys/vm/memfd_noexec'
	where pid-namespaces 'vm.memfd_noexec=2' in_pids 'mount -t proc proc /proc; echo 2 >/proc/sys/vm/memfd_noexec'
fi
unprivileged() {
	shift
	unshare -U "$@"
}
where user-namespaces 'a user namespace without ids' unprivileged :
limited() {
	shift
	setpriv --no-new-privs "$@"
}
try 'no_new_privs' same_in limited :
# landlocked DIRECTORIES COMMAND...: only files in these directories may be read, which leaves out /proc unless "/" is among them.
# Only files in /dev may be written.
landlocked() {
	directories=$1
	shift
	# shellcheck disable=SC2086 # a list
	"$ERRPIPE_BUILD/tests/prog_landlock" $directories -- "$@"
}
where landlock 'landlock: files are read-only' landlocked /
where landlock 'landlock: without /proc' landlocked "$(find /usr /bin /sbin /lib* /etc /dev -maxdepth 0 -printf '%p ')$tmp" blind_in
nobody() {
	shift
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
}
if [ "$(id -u)" = 0 ]; then
	try 'nobody' same_in nobody :
	where pid-namespaces 'nobody, hidepid=2' in_pids 'mount -t proc -o hidepid=2 proc /proc; set -- setpriv --reuid=65534 --regid=65534 --clear-groups "$@"'
else
	skip 'nobody' 'needs root'
fi

# --- older kernels

for call in none clone3 pidfd_open pidfd_send_signal openat2 faccessat2 close_range statx execveat memfd_create waitid-pidfd \
	execveat-check clone3,pidfd_open,pidfd_send_signal all; do
	try "a kernel without $call" same_in ./old "$call"
done

# explain works on these kernels too.
explains_without() {
	./old "$1" ./errpipe explain ./text >got 2>&1
	[ $? = 1 ] && grep -q '^why: "./text" is a text file .*(ENOEXEC)$' got
}
for call in openat2 faccessat2 statx execveat all; do
	try "explain without $call" explains_without "$call"
done

# Without these calls explain cannot try whether this kernel runs 32-bit programs. The program is from
# muppetlabs.com/~breadbox/software/tiny.
tries_without() {
	printf '\177ELF\1\0\0\0\0\0\0\0\0\0\1\0\2\0\3\0\40\0\1\0\40\0\1\0\4\0\0\0\263\52\61\300\100\315\200\0\64\0\40\0\1' >i386 &&
		truncate -s 70000 i386 && chmod 755 i386 || return
	./old "$1" ./errpipe explain ./i386 >got 2>&1
	cat got
	[ "$(tail -n 1 got)" = 'it would probably start' ]
}
if [ "$(uname -m)" = x86_64 ]; then
	for call in execveat memfd_create all; do
		try "explain of 32 bits without $call" tries_without "$call"
	done
fi

# Without /proc explain answers from less information.
cp errpipe foreign
printf '\363' | dd of=foreign bs=1 seek=18 conv=notrunc status=none # EM_RISCV
mkdir -p apart
# finds LINE SETUP ARG...: explain prints LINE among other lines.
finds() {
	wanted=$1 setup=$2
	shift 2
	within "$setup" ./errpipe explain "$@" >got 2>&1
	[ $? = 1 ] && grep -qxF "$wanted" got && return
	cat got
	return 1
}
no_proc='umount -l /proc'
if has 'without /proc: explain' mount-namespaces; then
	try 'without /proc: a foreign program' finds \
		"why (likely): \"./foreign\" is built for riscv64, but this machine is $(uname -m); binfmt_misc is not visible (ENOEXEC)" \
		"$no_proc" ./foreign
	try 'without /proc: a mount with noexec' finds \
		'why: "./apart/errpipe" is on a file system, which is mounted noexec (EACCES)' \
		"mount -t tmpfs -o noexec none apart; cp errpipe apart; $no_proc" ./apart/errpipe
	try 'without /proc: a file that is written to' finds \
		'why (likely): "./errpipe" is open for writing, or was at the time (ETXTBSY)' "$no_proc" --errno ETXTBSY ./errpipe
fi

# --- a filter that keeps errpipe from blocking signals: it could not learn that the target has ended

no_signals() {
	number=$(echo SYS_rt_sigprocmask | gcc -E -P -include sys/syscall.h - | tail -n 1)
	status=0
	timeout 20 "$ERRPIPE_BUILD/tests/prog_refuse" "$number" 22 ./errpipe run ./target >got 2>&1 || status=$?
	cat got
	[ "$status $(cat got)" = '125 errpipe: cannot watch for signals (EINVAL)' ]
}
try 'signals that cannot be blocked' no_signals
# The errno has no name.
no_errno() {
	timeout 20 "$ERRPIPE_BUILD/tests/prog_refuse" "$number" 4000 ./errpipe run ./target >got 2>&1
	cat got
	[ "$(cat got)" = 'errpipe: cannot watch for signals (errno 4000)' ]
}
try 'signals that cannot be blocked, with an unknown errno' no_errno

# --- filters that refuse the stub

number_of() {
	echo "SYS_$1" | gcc -E -P -include sys/syscall.h - | tail -n 1
}
# refused CALL STATUS LINES ARG...: if CALL fails with EACCES, errpipe run exits with STATUS and prints LINES.
refused() {
	call=$(number_of "$1") wanted=$2 status=0
	printf '%s\n' "$3" >wanted
	shift 3
	timeout -k 1 20 "$ERRPIPE_BUILD/tests/prog_refuse" "$call" 13 ./errpipe run "$@" >got 2>&1 || status=$?
	diff wanted got && [ "$status" = "$wanted" ]
}
try 'a stub that may not be executed' refused execveat 125 "exec ./target: cannot start the stub (EACCES)
errpipe: why: errpipe's stub was refused (EACCES), before \"./target\" was tried
errpipe: fix: run without the stub: --route direct, or ERRPIPE_NO_STUB in the library" --route stub ./target
try 'a stub that cannot be made' refused memfd_create 125 "errpipe: cannot make the stub (EACCES)
errpipe: use --route auto or --route direct, which work without the stub" --route stub ./target
without_it() {
	timeout 20 "$ERRPIPE_BUILD/tests/prog_refuse" "$(number_of memfd_create)" 13 ./errpipe run --route auto ./target
	[ $? = 7 ]
}
try 'a stub that cannot be made and is not needed' without_it

# --- filters that refuse waitid, or fake it

# without_waitid ERRNO: errpipe run still returns the target's status and forwards signals.
without_waitid() {
	call=$(number_of waitid)
	timeout -k 1 20 "$ERRPIPE_BUILD/tests/prog_refuse" "$call" "$1" ./errpipe run ./target
	status=$?
	[ "$status" = 7 ] || return 1
	mkfifo begun
	timeout -k 1 20 "$ERRPIPE_BUILD/tests/prog_refuse" "$call" "$1" ./errpipe run sh -c 'echo >begun; exec sleep 60' &
	read -r _ <begun
	kill -s TERM $!
	wait $!
	status=$?
	rm begun
	echo "exit status $status"
	[ "$status" = 143 ]
}
try 'no waitid' without_waitid 1
try 'a waitid that does nothing' without_waitid 0

# --- noexec everywhere except on errpipe's own mount

# refused_on_noexec ROUTE
refused_on_noexec() {
	mkdir -p on
	status=0
	# shellcheck disable=SC2016
	within 'mount -t tmpfs none on; cp errpipe on; mount --bind / /; mount -o remount,bind,noexec /; cd "$PWD/on"' \
		./errpipe run --explain=no --route="$1" /bin/true >got 2>&1 || status=$?
	cat got
	[ "$status $(cat got)" = '126 exec /bin/true: permission denied' ]
}
if has 'noexec everywhere' mount-namespaces; then
	try 'noexec everywhere: the stub' refused_on_noexec stub
	try 'noexec everywhere: direct' refused_on_noexec direct
fi

# --- full disks and pipes

# The target has run. errpipe reports that it could not write the report.
full_disk() {
	status=0
	within 'mkdir -p small; mount -t tmpfs -o size=4096 none small; head -c 4096 /dev/zero >small/rest || :' \
		./errpipe run --report small/report ./target >got 2>&1 || status=$?
	cat got
	[ "$status" = 125 ] && grep -q '^errpipe: cannot write to "small/report" (ENOSPC)$' got
}
if has 'a full disk' $own_mounts; then
	# The command is built with JSON only where it is not static.
	cp "$ERRPIPE_BUILD/errpipe" errpipe
	try 'a full disk' full_disk
fi

# The pipe is full and has no reader. The exit status is still correct.
full_pipe() {
	mkfifo pipe
	exec 5<>pipe
	dd if=/dev/zero of=pipe bs=4096 count=1000 oflag=nonblock 2>/dev/null || :
	perl -MFcntl -e 'open(my $p, ">&=", 5); fcntl($p, F_SETFL, O_RDWR | O_NONBLOCK); exec @ARGV' \
		timeout 60 ./errpipe run ./none 2>&5
	status=$?
	exec 5>&-
	rm pipe
	[ "$status" = 127 ]
}
try 'standard error is a full pipe' full_pipe
closed_streams() {
	timeout 60 ./errpipe run ./none 2>&- >&- <&-
	[ $? = 127 ] && timeout 60 ./errpipe run ./target 2>&- >&- <&-
	[ $? = 7 ]
}
try 'no standard streams' closed_streams
no_reader() {
	{ timeout 60 ./errpipe run ./none; echo $? >status; } 2>&1 | :
	[ "$(cat status)" = 127 ]
}
try 'nobody reads standard error' no_reader

# --- secure execution: of the caller's environment only PATH has an effect

evil_environment() {
	cat >evil.c <<-'END'
		#include <unistd.h>
		__attribute__((constructor)) static void evil(void) { write(2, "evil\n", 5); }
	END
	gcc -shared -fPIC -w -o evil.so evil.c && printf '#!/bin/sh\necho evil >&2\n' >dmz && chmod 755 dmz && cp dmz stub
}
set_id() {
	within 'mount -t tmpfs -o mode=755 none /mnt; cp errpipe /mnt; chown 0 /mnt/errpipe; chmod 4755 /mnt/errpipe' \
		setpriv --reuid=65534 --regid=65534 --clear-groups env LD_PRELOAD="$tmp/evil.so" LD_LIBRARY_PATH="$tmp" \
		LD_AUDIT="$tmp/evil.so" GCONV_PATH="$tmp" TMPDIR="$tmp" ERRPIPE_STUB="$tmp/stub" DMZ="$tmp/dmz" STUB="$tmp/stub" \
		LIBEXECDIR="$tmp" PATH="$PATH" /mnt/errpipe run /bin/sh -c 'unset LD_PRELOAD LD_AUDIT; id -u; exit 7' >got 2>evil.got
	status=$?
	cat got evil.got
	# The target's loader obeys these variables once the ids are equal again. The command's loader does not.
	[ "$status" = 7 ] && [ "$(cat got)" = 65534 ] && [ "$(grep -c evil evil.got)" -le "$1" ]
}
if has 'set-uid' mount-namespaces; then
	try 'an evil library and stub' evil_environment
	try 'set-uid: the environment redirects nothing' set_id 2
fi

echo "1..$n"
exit "$failed"
