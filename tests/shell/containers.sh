#!/bin/sh
# SPDX-License-Identifier: MIT
# Real containers: runc and crun, unmodified, start the stub. "errpipe decode" reads the reason for a failure from the preserved
# descriptor (docs/embedding.md, "An unmodified runtime"). "errpipe explain" gives the same answer inside a container and outside.
# Writes TAP.
#
# Root runs all tests, other users only those of rootless containers.
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}"

PATH=$PATH:/usr/sbin:/sbin # Debian installs runc there, and an ordinary user's PATH lacks it
count=0 failures=0 containers=0
tmp=$(mktemp -d)
chmod 711 "$tmp"
cleanup() {
	for state in "$tmp"/state/*/* "$tmp"/user/state/*/*; do
		[ -d "$state" ] || continue
		"$(basename "$(dirname "$state")")" delete -f "${state##*/}"
	done >/dev/null 2>&1
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' HUP INT PIPE TERM
errpipe=$ERRPIPE_BUILD/errpipe

result() {
	count=$((count + 1))
	[ "$1" = ok ] || failures=$((failures + 1))
	echo "$1 $count - $2"
}

skip() {
	result ok "$1 # SKIP $2"
}

# same WHAT WANT GOT
same() {
	if [ "$2" = "$3" ]; then
		result ok "$1"
	else
		result 'not ok' "$1"
		printf '%s: expected\n%s\nand got\n%s\n' "$1" "$2" "$3" >&2
		cat "$tmp/out" "$tmp/err" >&2
	fi
}

# --- runtimes: each is a function with its own state directory

# crun refuses a tree with both cgroup versions, so hide version 2.
# shellcheck disable=SC2016 # the inner shell expands them
in_mounts='if mountpoint -q /sys/fs/cgroup/unified; then umount -l /sys/fs/cgroup/unified; fi; exec "$@"'
private() {
	timeout 60 unshare -m sh -c "$in_mounts" sh "$@"
}

runc_root() {
	private runc --root "$tmp/state/runc_root" "$@"
}

crun_root() {
	private crun --root "$tmp/state/crun_root" "$@"
}

# as_user COMMAND...: run a command as an ordinary user.
as_user() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$tmp" XDG_RUNTIME_DIR="$tmp/user" "$@"
	else
		"$@"
	fi
}

runc_user() {
	as_user timeout 60 runc --root "$tmp/user/state/runc_user" "$@"
}

# --- a bundle

# make_target FILE: a target that prints its name and its descriptors, and the contents of those above 2.
make_target() {
	cat >"$tmp/target.c" <<-'EOF'
		#include <fcntl.h>
		#include <stdio.h>
		#include <unistd.h>

		int main(int argc, char **argv)
		{
			char text[64];

			if (argc > 1)
				return pause();
			printf("%s sees", argv[0]);
			for (int fd = 0; fd < 1024; fd++) {
				if (fcntl(fd, F_GETFD) < 0)
					continue;
				printf(" %d", fd);
				if (fd > 2)
					printf("=%.*s", (int)read(fd, text, sizeof(text)), text);
			}
			putchar('\n');
			return 7;
		}
	EOF
	cc -static -o "$1" "$tmp/target.c"
}

make_foreign() {
	"$ERRPIPE_SRC/tests/support/make" \
		"$ERRPIPE_BUILD/stubs/aarch64/hello" && cp "$ERRPIPE_BUILD/stubs/aarch64/hello" "$1"
}

make_root() {
	mkdir -p "$1/bin" "$1/proc" "$1/dev" "$1/sys" "$1/directory"
	busybox=$(command -v busybox) || return 1
	cp "$busybox" "$1/bin/busybox"
	ln -s busybox "$1/bin/sh"
	make_target "$1/bin/target" || return 1
	make_foreign "$1/bin/foreign" || return 1
	printf '#!/no/interpreter\n' >"$1/bin/script"
	echo 'no x bit' >"$1/bin/data"
	chmod 755 "$1/bin/script"
	chmod 644 "$1/bin/data"
}

# configure BUNDLE [ARG...]: let the container run ARG..., based on the output of "runc spec".
configure() {
	bundle=$1 args=
	shift
	for arg; do
		args="$args${args:+, }\"$arg\""
	done
	sed -e "s|^[[:space:]]*\"sh\"\$|$args|" -e 's/"terminal": true/"terminal": false/' "$bundle/base.json" \
		>"$bundle/config.json"
}

# --- one attempt

# attempt COMMAND...: set $status to the exit status and $said to the decoded record. Descriptors 3 and 5 are the report, 4 is
# another file.
attempt() {
	said=$({
		# shellcheck disable=SC2094
		"$@" 3>&1 4<"$tmp/further" 5>&1 >"$tmp/out" 2>"$tmp/err" </dev/null
		echo $? >"$tmp/status"
	} | "$errpipe" decode --path "$path" 2>&1)
	read -r status <"$tmp/status"
}

name() {
	containers=$((containers + 1))
	id=errpipe-$$-$containers
}

runs() {
	runtime=$1
	shift
	name
	attempt "$runtime" run --bundle "$bundle" "$@" "$id"
}

started='errpipe: standard input is empty: either the target started or no stub ran'

# Paths that cannot be exec'd, each with the exit status and the words for it.
cat >"$tmp/refusals" <<'EOF'
/bin/foreign 126 exec format error
/bin/missing 127 no such file or directory
/bin/data 126 permission denied
/directory 126 permission denied
/bin/script 127 no such file or directory
EOF

# --- runtime run

run_started() {
	path=/bin/target
	configure "$bundle" /dmz 3 "$path" -argv0
	runs "$1" --preserve-fds 1
	same "$1 run: the target starts; it inherits no descriptor, and its exit status is passed on" \
		"7 -argv0 sees 0 1 2 $started" "$status $(cat "$tmp/out" "$tmp/err") $said"
	runs "$1" --preserve-fds 2
	same "$1 run: another descriptor" \
		"7 -argv0 sees 0 1 2 4=further $started" "$status $(cat "$tmp/out" "$tmp/err") $said"
	configure "$bundle" /dmz 5 "$path" -argv0
	runs "$1" --preserve-fds 3
	same "$1 run: descriptor 5 is the report" "7 -argv0 sees 0 1 2 3= 4=further" "$status $(cat "$tmp/out" "$tmp/err")"
}

run_refused() {
	while read -r path code words; do
		configure "$bundle" /dmz 3 "$path" argv0
		runs "$1" --preserve-fds 1
		same "$1 run: $path" "$code exec $path: $words" "$status $said"
		same "$1 run: $path, without output from the container" '' "$(cat "$tmp/out" "$tmp/err")"
	done <"$tmp/refusals"
}

run_alone() {
	while read -r path _; do
		configure "$bundle" "$path"
		runs "$1"
		echo "# without errpipe: $1 run $path: exit status $status, $(tr '\n' ' ' <"$tmp/err")"
	done <"$tmp/refusals"
}

run_filtered() {
	path=/bin/target
	configure "$bundle" /dmz 3 "$path" argv0
	filter='"seccomp": { "defaultAction": "SCMP_ACT_ALLOW",'
	filter="$filter"' "syscalls": [ { "names": ["fcntl"], "action": "SCMP_ACT_ERRNO" } ] },'
	sed "s/\"linux\": {/&$filter/" "$bundle/config.json" >"$tmp/filtered" && cp "$tmp/filtered" "$bundle/config.json"
	runs "$1" --preserve-fds 1
	same "$1 run: a seccomp filter without fcntl" \
		"125 exec $path: cannot set close-on-exec on the report (EPERM)" "$status $said"
}

# --- runtime exec

execs() {
	name
	configure "$bundle" /bin/target wait
	"$1" run --bundle "$bundle" --detach "$id" </dev/null >"$tmp/out" 2>"$tmp/err"
	same "$1 exec: a container to exec in" 0 "$?"
	path=/bin/target
	attempt "$1" exec --preserve-fds 2 "$id" /dmz 3 "$path" -argv0
	same "$1 exec: the target starts" "7 -argv0 sees 0 1 2 4=further $started" "$status $(cat "$tmp/out" "$tmp/err") $said"
	while read -r path code words; do
		attempt "$1" exec --preserve-fds 1 "$id" /dmz 3 "$path" argv0
		same "$1 exec: $path" "$code exec $path: $words" "$status $said"
	done <"$tmp/refusals"
	attempt "$1" exec "$id" /bin/foreign
	echo "# without errpipe: $1 exec /bin/foreign: exit status $status, $(tr '\n' ' ' <"$tmp/err")"
	"$1" delete -f "$id"
}

# --- create, start

# start_reader RUNTIME: open the FIFO while the container's process still holds it, and only then start.
start_reader() {
	exec 3<"$tmp/fifo"
	"$1" start "$id" 3<&- 2>"$tmp/err" </dev/null
	echo $? >"$tmp/status"
	timeout 20 "$errpipe" decode --path "$path" <&3 2>&1
	exec 3<&-
}

# creates RUNTIME: create with the report as a FIFO, then start in another shell, which prints the outcome.
creates() {
	name
	rm -f "$tmp/fifo"
	mkfifo "$tmp/fifo"
	: >"$tmp/out"
	# When create has ended, only the container's process holds the FIFO.
	# shellcheck disable=SC2094
	"$1" create --bundle "$bundle" --preserve-fds 2 "$id" 3<>"$tmp/fifo" 4<"$tmp/further" >"$tmp/out" 2>"$tmp/err" \
		</dev/null
	created=$?
	if [ "$created" = 0 ]; then
		said=$(start_reader "$1")
		read -r status <"$tmp/status"
	else
		said='' status=''
	fi
}

create_start() {
	path=/bin/target
	configure "$bundle" /dmz 3 "$path" -argv0
	creates "$1"
	same "$1 create, start: the target starts" "0 0 $started" "$created $status $said"
	ended "$1"
	same "$1 create, start: the target sees none of our descriptors" '-argv0 sees 0 1 2 4=further' "$(cat "$tmp/out")"
	while read -r path code words; do
		configure "$bundle" /dmz 3 "$path" argv0
		creates "$1"
		same "$1 create, start: $path" "0 0 exec $path: $words" "$created $status $said"
		ended "$1"
	done <"$tmp/refusals"
}

# ended RUNTIME: wait until the container has ended by itself, and remove it.
ended() {
	tries=0
	until "$1" state "$id" | grep -q '"stopped"' || [ "$tries" = 200 ]; do
		tries=$((tries + 1))
		sleep 0.05
	done
	"$1" delete -f "$id" 2>"$tmp/log"
}

# --- errpipe explain, inside a container and from outside

# agrees RUNTIME PATH CAUSE STATUS: explain finds this cause, both inside the container and from outside.
agrees() {
	name
	configure "$bundle" /errpipe explain --json "$2"
	"$1" run --bundle "$bundle" "$id" >"$tmp/out" 2>"$tmp/err" </dev/null
	same "$1: explain $2, inside: exit status" "$4" "$?"
	same "$1: explain $2, inside" "\"$3\"" "$(jq -c .cause "$tmp/out" 2>&1)"
	inside=$(jq -c '[.cause, .certainty, .errno, .broken, .subject]' "$tmp/out" 2>&1)
	configure "$bundle" "$2"
	"$errpipe" explain --json --bundle "$bundle" >"$tmp/out" 2>"$tmp/err"
	same "$1: explain --bundle, $2: exit status" "$4" "$?"
	same "$1: explain --bundle, $2: as inside" "$inside" \
		"$(jq -c '[.cause, .certainty, .errno, .broken, .subject]' "$tmp/out" 2>&1)"
}

# make_bare BUNDLE FROM: a root with only the static command and the programs.
make_bare() {
	"$ERRPIPE_SRC/tests/support/make" O="$ERRPIPE_BUILD/static" STATIC=1 \
		"$ERRPIPE_BUILD/static/errpipe" || return
	mkdir -p "$1/rootfs/proc" "$1/rootfs/dev" "$1/rootfs/sys" "$1/rootfs/directory" &&
		cp "$ERRPIPE_BUILD/static/errpipe" "$2/rootfs/bin/target" "$2/rootfs/bin/foreign" "$2/rootfs/bin/script" \
			"$2/rootfs/bin/data" "$1/rootfs" &&
		echo 'int main(void) { return 0; }' | cc -x c -o "$1/rootfs/dynamic" - &&
		printf '#!/target\r\n' >"$1/rootfs/crlf" && printf '#!/script\n' >"$1/rootfs/nested" &&
		: >"$1/rootfs/empty" && ln -s /nowhere "$1/rootfs/dangling" &&
		chmod 755 "$1"/rootfs/crlf "$1"/rootfs/nested "$1"/rootfs/empty && cp "$2/base.json" "$1/base.json"
}

explains() {
	agrees "$1" /target none 0
	agrees "$1" /missing missing 1
	agrees "$1" /dangling dangling-link 1
	agrees "$1" /dynamic loader-missing 1
	agrees "$1" /script interpreter-missing 1
	agrees "$1" /nested interpreter-missing 1
	agrees "$1" /crlf carriage-return 1
	agrees "$1" /data not-executable 1
	agrees "$1" /empty empty-file 1
	agrees "$1" /foreign other-architecture 1
	agrees "$1" /directory not-a-file 1
}

# starts RUNTIME FILTER...: set $ran to the runtime's status for /mounted/target, a file on a mount that jq adds, and $said to
# that of explain.
starts() {
	name
	jq ".process.terminal = false | .process.args = [\"/mounted/target\"] | $2" "$bundle/base.json" >"$bundle/config.json"
	mkdir -p "$bundle/rootfs/mounted"
	"$1" run --bundle "$bundle" "$id" >"$tmp/out" 2>"$tmp/err" </dev/null
	ran=$?
	"$errpipe" explain --bundle "$bundle" >"$tmp/out" 2>&1
	said=$?
}

# The target returns 7. runc and crun return other codes for EACCES. They disagree on "noexec,exec", so it is left out.
mounts() {
	for options in rbind rbind,rnoexec bind,rnoexec rbind,noexec,rexec rbind,rexec,noexec rbind,rnoexec,exec \
		rbind,rnoexec,rexec rbind,rexec,rnoexec rbind,exec,noexec rbind,rro,rnosuid,rnodev; do
		starts "$1" ".mounts += [{destination: \"/mounted\", type: \"none\", source: \"$bundle/rootfs/bin\",
			options: (\"$options\" | split(\",\"))}]"
		same "$1: explain --bundle, a mount with $options, as it runs" "$([ "$ran" = 7 ] && echo 0 || echo 1)" "$said"
	done
}

# A soft limit of 0 stands for the hard limit.
limits() {
	for limit in 0,0 0,4096 0,1000000000 4096,1000000000 1000000000,1000000000; do
		starts "$1" ".process.args = [\"/bin/target\"] |
			.process.rlimits = [{type: \"RLIMIT_DATA\", soft: ${limit%,*}, hard: ${limit#*,}}]"
		same "$1: explain --bundle, RLIMIT_DATA $limit, as it runs" "$([ "$ran" = 7 ] && echo 0 || echo 1)" "$said"
	done
}

# Only runc refuses an entry of process.env that is not NAME=VALUE.
variables() {
	for entry in A=b A= A '' =b; do
		starts "$1" ".process.args = [\"/bin/target\"] | .process.env += [\"$entry\"]"
		[ "$1" = runc_root ] && same "$1: explain --bundle, the variable '$entry', as it runs" "$([ "$ran" = 7 ] && echo 0 || echo 1)" "$said"
		[ "$1" = runc_root ] || same "$1: the variable '$entry'" 7 "$ran"
	done
}

# make_dynamic ROOT: the target with a loader and libraries.
make_dynamic() {
	cc -o "$1/bin/dynamic" "$tmp/target.c" || return 1
	"$errpipe" explain --json "$1/bin/dynamic" | jq -r '.links[1].path, .libraries[].path' >"$tmp/needed"
	while read -r file; do
		mkdir -p "$1${file%/*}" && cp "$file" "$1$file" || return 1
	done <"$tmp/needed"
	loader=$(head -n 1 "$tmp/needed") library=$(tail -n 1 "$tmp/needed")
}

# Runtimes mask paths after all mounts: a directory becomes empty, and a file becomes a device.
masks() {
	while read -r program masked; do
		starts "$1" ".process.args = [\"$program\"] | .linux.maskedPaths += [\"$masked\"] |
			.mounts += [{destination: \"/mounted\", type: \"none\", source: \"$bundle/rootfs/bin\", options: [\"bind\"]}]"
		same "$1: explain --bundle, $program with $masked masked, as it runs" "$([ "$ran" = 7 ] && echo 0 || echo 1)" "$said"
	done <<-EOF
		/bin/target /bin/target
		/bin/target bin/target
		/bin/target /bin/../bin/target
		/bin/target /bin
		/bin/target /
		/bin/target /bin/missing
		/bin/target /directory
		/bin/target /bin/sh
		/bin/linked /bin/linked
		/bin/linked /bin/target
		/mounted/target /mounted
		/mounted/target /mounted/target
		/mounted/target /bin/target
		/bin/dynamic /directory
		/bin/dynamic $loader
		/bin/dynamic $library
		/bin/dynamic ${library%/*}
	EOF
}

# --- the recipe of docs/embedding.md around a real runtime

recipe() {
	awk '/^```c$/ { getline; on = $2 == "wrap.c" } /^```$/ { on = 0 } on' "$ERRPIPE_SRC/docs/embedding.md" >"$tmp/wrap.c"
	cc -I"$ERRPIPE_SRC/errpipe" -o "$tmp/wrap" "$tmp/wrap.c" "$ERRPIPE_BUILD/liberrpipe.a" 2>"$tmp/err"
	same 'the recipe compiles' 0 "$?"
	while read -r path code words; do
		name
		configure "$bundle" /dmz 3 "$path" argv0
		said=$(timeout 60 "$tmp/wrap" "$path" runc --root "$tmp/state/runc_root" run --bundle "$bundle" --preserve-fds 1 "$id" \
			2>&1 </dev/null)
		same "the recipe: $path" "$code exec $path: $words" "$? $said"
	done <"$tmp/refusals"
	name
	configure "$bundle" /dmz 3 /bin/target argv0
	said=$(timeout 60 "$tmp/wrap" /bin/target runc --root "$tmp/state/runc_root" run --bundle "$bundle" --preserve-fds 1 "$id" \
		2>&1 </dev/null)
	same 'the recipe: the target starts' '7 argv0 sees 0 1 2' "$? $said"

	# The shell command of the page.
	line=$(sed -n 's/^    \({ runc run .*\)/\1/p' "$ERRPIPE_SRC/docs/embedding.md")
	name
	configure "$bundle" /dmz 3 /bin/app app
	cp "$bundle/rootfs/bin/foreign" "$bundle/rootfs/bin/app"
	line=$(printf '%s\n' "$line" | sed "s|runc|& --root $tmp/state/runc_root|;s| ID | --bundle $bundle $id |")
	said=$(PATH=$ERRPIPE_BUILD:$PATH timeout 60 sh -c "$line" 2>&1 </dev/null)
	same "the page's shell command" '0 exec /bin/app: exec format error' "$? $said"
}

# --- everything

# works RUNTIME ABILITY: the runtime is installed and runs containers on this machine. Otherwise skip all tests that need it.
works() {
	program=${1%_*}
	if ! command -v "$program" >"$tmp/log"; then
		skip "$1" "$program is missing: scripts/setup test installs it"
	elif needs=$("$ERRPIPE_SRC/tests/support/lacks" "$2"); then
		skip "$1" "$needs"
	else
		echo "# $("$program" --version | head -n 1)"
		return
	fi
	return 1
}

# make_bundle BUNDLE: a bundle that mounts the stub read-only.
make_bundle() {
	mkdir -p "$1"
	make_root "$1/rootfs" && : >"$1/rootfs/dmz" && runc spec --bundle "$1" && mv "$1/config.json" "$1/base" || return 1
	mount='"destination": "/dmz", "type": "bind", "options": ["bind", "ro", "nosuid", "nodev"]'
	mount="{ $mount, \"source\": \"$tmp/dmz\" },"
	sed "s|\"mounts\": \\[|&$mount|" "$1/base" >"$1/base.json"
}

# make_user_bundle BUNDLE FROM: a rootless bundle with a copy of the stub.
make_user_bundle() {
	mkdir -p "$1" && cp -a "$2/rootfs" "$1/rootfs" && install -m 755 "$tmp/dmz" "$1/rootfs/dmz" || return 1
	[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$1" || return 1
	as_user runc spec --rootless --bundle "$1" && mv "$1/config.json" "$1/base.json"
}

if ! command -v runc >"$tmp/log"; then
	skip 'containers' 'runc is missing: scripts/setup test installs it'
	echo "1..$count"
	exit
fi

echo further | tr -d '\n' >"$tmp/further"
: >"$tmp/out"
: >"$tmp/err"
install -m 755 "$ERRPIPE_BUILD/dmz" "$tmp/dmz"
make_bundle "$tmp/bundle" 2>"$tmp/err"
same 'a bundle' 0 "$?"
make_user_bundle "$tmp/user" "$tmp/bundle" 2>"$tmp/err"
same 'a rootless bundle' 0 "$?"

bundle=$tmp/bundle
ln -s target "$bundle/rootfs/bin/linked"
make_dynamic "$bundle/rootfs" 2>"$tmp/err"
same 'a dynamic program' 0 "$?"
for runtime_ in runc_root crun_root; do
	works "$runtime_" "containers-of-${runtime_%_*}" || continue
	run_started "$runtime_"
	run_refused "$runtime_"
	run_filtered "$runtime_"
	execs "$runtime_"
	create_start "$runtime_"
	mounts "$runtime_"
	limits "$runtime_"
	variables "$runtime_"
	masks "$runtime_"
	run_alone "$runtime_"
done
if works 'runc_root: the recipe, and explain' containers-of-runc; then
	recipe
	make_bare "$tmp/bare" "$tmp/bundle" >"$tmp/out" 2>"$tmp/err"
	same 'a bare bundle' 0 "$?"
	bundle=$tmp/bare
	explains runc_root
fi

bundle=$tmp/user
if works runc_user rootless-containers; then
	run_started runc_user
	run_refused runc_user
	execs runc_user
fi

same 'no cgroup is left' '' "$(find /sys/fs/cgroup -name "errpipe-$$-*" 2>"$tmp/log")"
same 'no mount is left' '' "$(grep -F "$tmp" /proc/self/mountinfo)"
same 'no container is left' '' "$(find "$tmp/state" "$tmp/user/state" -mindepth 2 -maxdepth 2 2>"$tmp/log")"

echo "1..$count"
[ "$failures" = 0 ]
