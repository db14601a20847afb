#!/bin/sh
# SPDX-License-Identifier: MIT
# The recipes of docs/embedding.md compile, and do what the page says. Writes TAP.
# shellcheck disable=SC2317 # the functions that are called through check
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}"

count=0 failures=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT PIPE TERM

result() {
	count=$((count + 1))
	[ "$1" = ok ] || failures=$((failures + 1))
	echo "$1 $count - $2"
}

# check WHAT COMMAND...: the command succeeds.
check() {
	what=$1
	shift
	if "$@" >"$dir/log" 2>&1; then
		result ok "$what"
	else
		result 'not ok' "$what"
		cat "$dir/log" >&2
	fi
}

# prints WHAT TEXT STATUS COMMAND...: the command prints just that, in any order of lines, and exits so.
prints() {
	what=$1 want=$(printf '%s\n' "$2" | sort) want_status=$3
	shift 3
	status=0
	got=$("$dir/target" run timeout 60 "$@" 2>&1 </dev/null) || status=$?
	got=$(printf '%s\n' "$got" | sort)
	if [ "$got" = "$want" ] && [ "$status" = "$want_status" ]; then
		result ok "$what"
	else
		result 'not ok' "$what"
		printf '%s\nprinted\n%s\nwith exit status %s, and not\n%s\nwith %s\n' "$*" "$got" "$status" "$want" \
			"$want_status" >&2
	fi
}

# A target that tells its descriptors and exits with 7. As "target run COMMAND..." it becomes a command that has
# none but 0 to 2: whoever runs the tests may have left some open.
make_target() {
	cat >"$dir/target.c" <<-'EOF'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <stdio.h>
		#include <unistd.h>

		int main(int argc, char **argv)
		{
			if (argc > 2) {
				close_range(3, ~0U, 0);
				execvp(argv[2], argv + 2);
				return 1;
			}
			printf("%s sees", argc > 1 ? argv[1] : "target");
			for (int fd = 0; fd < 4096; fd++) {
				if (fcntl(fd, F_GETFD) >= 0)
					printf(" %d", fd);
			}
			putchar('\n');
			return 7;
		}
	EOF
	cc -o "$dir/target" "$dir/target.c"
}

make_foreign() {
	"$ERRPIPE_SRC/tests/make" \
		"$ERRPIPE_BUILD/stubs/aarch64/hello" && cp "$ERRPIPE_BUILD/stubs/aarch64/hello" "$dir/foreign"
}

# Each block of C in the page becomes the file that its first line names.
extract() {
	awk -v dir="$dir" '
		/^```c$/ { getline; file = dir "/" $2; sub(/:$/, "", file) }
		/^```$/ { file = "" }
		file { print >file }
	' "$ERRPIPE_SRC/docs/embedding.md"
	for recipe in $recipes route; do
		mv "$dir/$recipe.c" "$dir/$recipe.c.tmp" && mv "$dir/$recipe.c.tmp" "$dir/$recipe.c" || return 1
	done
	[ "$(grep -c '^```c$' "$ERRPIPE_SRC/docs/embedding.md")" = 6 ]
}

compile() {
	cc -std=gnu99 -Wall -Wextra -Werror -I"$ERRPIPE_SRC/errpipe" -o "$dir/$1" "$dir/$1.c" "$ERRPIPE_BUILD/liberrpipe.a"
}

# in_state COMMAND: with the folder of a new container as $1.
in_state() {
	what=$1 want=$2 script=$3
	shift 3
	state=$(mktemp -d "$dir/state.XXXXXX")
	prints "$what" "$want" 0 sh -c "$script" "$dir/create-start" "$state" "$@"
}

recipes='init create-start events wrap explain'
check 'a target' make_target
check 'a program for another machine' make_foreign
printf '#!/no/interpreter\n' >"$dir/script"
chmod 755 "$dir/script"
check 'the recipes are there' extract
for recipe in $recipes; do
	check "$recipe.c compiles" compile "$recipe"
done

# refusals: a word, a path that cannot be exec'd, the exit code, and what the line says.
refusals() {
	cat <<-EOF
		missing $dir/missing 127 no such file or directory
		foreign $dir/foreign 126 exec format error
		directory $dir 126 permission denied
		interpreter $dir/script 127 no such file or directory
	EOF
}
refusals >"$dir/refusals"

# --- init

exec 8</dev/null 9<"$dir/target.c"
init=$dir/init
prints 'init: the target runs, with 0 to 2 alone' 'target sees 0 1 2' 7 "$init" / "$dir/target"
# shellcheck disable=SC2016 # for the shell that is started
prints 'init: descriptors of the runtime are closed, below, between and above' 'target sees 0 1 2' 7 \
	sh -c 'exec 3</dev/null 5</dev/null 9</dev/null; exec "$@"' sh "$init" / "$dir/target"
while read -r word path code words; do
	prints "init: $word" "exec $path: $words" "$code" "$init" / "$path"
done <"$dir/refusals"
prints 'init: a step that fails' "exec $dir/target: set-up step 1 failed (ENOENT)" 125 "$init" "$dir/missing" "$dir/target"
prints 'init: /proc/self/exe is the stub, not init' '' 125 "$init" / /proc/self/exe / "$dir/target"
# shellcheck disable=SC2016
prints 'init: a signal of the target' '' 143 "$init" / /bin/sh -c 'kill -TERM $$'

# --- create-start. $0 is the program, $1 the folder, $2 the path.

# shellcheck disable=SC2016
try='"$0" create "$1" "$2"; echo "create $?"; "$0" start "$1" "$2"; echo "start $?"'
in_state 'create-start: the target runs, with 0 to 2 alone' 'create 0
start 0
target sees 0 1 2' "$try" "$dir/target"
while read -r word path code words; do
	in_state "create-start: $word" "create 0
exec $path: $words
start $code" "$try" "$path"
done <"$dir/refusals"
# shellcheck disable=SC2016
in_state 'create-start: a step that fails' "exec $dir/target: set-up step 1 failed (EPERM)
create 125" 'strace -f -qq -o "$1/log" -e trace=setsid -e inject=setsid:error=EPERM "$0" create "$1" "$2"
echo "create $?"' "$dir/target"
# The child is dead, and there is nobody to open the other end.
# shellcheck disable=SC2016
in_state 'create-start: killed between create and start' "exec $dir/target: ended before it started
start 125" '"$0" create "$1" "$2"; kill -KILL "$(cat "$1/pid")"; "$0" start "$1" "$2"; echo "start $?"' "$dir/target"
# The child is alive, but has not come to the FIFO when start opens it. start must wait, not read an end of file: it
# has unlinked the FIFO when it is about to wait, and then the "child" ends.
# shellcheck disable=SC2016
in_state 'create-start: a FIFO that nobody has opened yet is not a target that started' \
	"exec $dir/target: ended before it started
start 125" 'mkfifo "$1/exec.fifo" "$1/hold"
sh -c "echo \$\$ >\"$1/pid\"; read line <\"$1/hold\"" & exec 4<>"$1/hold"
until [ -s "$1/pid" ]; do :; done
{ "$0" start "$1" "$2"; echo "start $?"; } 4>&- & while [ -e "$1/exec.fifo" ]; do :; done
echo go >&4; wait' "$dir/target"
# shellcheck disable=SC2016
in_state 'create-start: nothing is started twice' 'create 0
start 0
start 125
target sees 0 1 2' "$try"'; "$0" start "$1" "$2"; echo "start $?"' "$dir/target"

# --- events

events=$dir/events
set --
want="exec $dir/target: started
target sees 0 1 2
$dir/target: exit code 7"
while read -r word path code words; do
	set -- "$@" "$path"
	want="$want
exec $path: $words
$path: exit code $code"
done <"$dir/refusals"
prints 'events: all of them at once' "$want" 0 "$events" / "$dir/target" "$@"
# Often, as the last child must be amid its exec when the first has ended.
# shellcheck disable=SC2016
prints 'events: no event for a child that is gone' '' 0 \
	sh -c 'for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "$@" >/dev/null || exit; done' \
	sh "$events" / "$@" "$@"
prints 'events: a step that fails' "exec $dir/target: set-up step 0 failed (ENOENT)
$dir/target: exit code 125" 0 "$events" "$dir/missing" "$dir/target"

# --- wrap, around a stand-in that keeps its copy of the descriptor, as runc does. tests/containers.sh has the real ones.

cat >"$dir/runtime" <<-EOF
	#!/bin/sh
	"$ERRPIPE_BUILD/dmz" 3 "\$1" target
EOF
chmod 755 "$dir/runtime"
wrap=$dir/wrap
prints 'wrap: the target runs, without the report' 'target sees 0 1 2' 7 "$wrap" "$dir/target" "$dir/runtime" "$dir/target"
while read -r word path code words; do
	prints "wrap: $word" "exec $path: $words" "$code" "$wrap" "$path" "$dir/runtime" "$path"
done <"$dir/refusals"
prints 'wrap: a runtime that fails by itself' 'no bundle' 1 "$wrap" "$dir/target" sh -c 'echo no bundle >&2; exit 1'
prints 'wrap: a runtime that is not there' "exec $dir/target: set-up step 0 failed (ENOENT)" 125 \
	"$wrap" "$dir/target" "$dir/missing"
# The write end is 4 as a rule. With 3 taken it is 5; with standard input closed it is 3.
# shellcheck disable=SC2016
for redirection in '3</dev/null' '0<&-'; do
	prints "wrap: started with $redirection" "exec $dir/foreign: exec format error" 126 \
		sh -c "exec $redirection; "'exec "$@"' sh "$wrap" "$dir/foreign" "$dir/runtime" "$dir/foreign"
done

# --- explain, of a root that is not that of the caller

mkdir "$dir/image"
cp "$dir/script" "$dir/image"
: >"$dir/image/empty"
chmod 755 "$dir/image/empty"

# explains WHAT PATH LINES STATUS: of an exec of PATH that has failed as PATH in the image does.
explains() {
	"$ERRPIPE_BUILD/dmz" 3 "$dir/image$2" name 3>"$dir/record"
	# shellcheck disable=SC2016
	prints "explain: $1" "$3" "$4" sh -c '"$@" <"$0"' "$dir/record" "$dir/explain" "$dir/image" "$2"
}

explains 'an empty file' /empty "exec /empty: exec format error
/empty is empty: it has 0 bytes
build or copy it again" 126
explains 'an interpreter that is missing' /script "exec /script: no such file or directory
its interpreter /no/interpreter is missing: /no does not exist
install it, or change the first line of /script" 127
# In the root of the caller it leads to a folder.
ln -s /usr "$dir/image/sbin"
explains 'a link that does not lead out of the root' /sbin/env "exec /sbin/env: no such file or directory
/sbin/env leads nowhere: /sbin is a link to /usr, which does not exist
create /usr, or correct the link /sbin" 127
"$ERRPIPE_BUILD/dmz" 3 "$dir/target" name 3>"$dir/record" >"$dir/log"
# shellcheck disable=SC2016
prints 'explain: nothing of what has started' '' 0 sh -c '"$@" <"$0"' "$dir/record" "$dir/explain" / "$dir/target"

# --- route

cat >"$dir/routes.c" <<'EOF'
#include <stdio.h>
#include "route.c"

int main(void)
{
	const struct process tests[] = {
		{ .uid = 0, .effective = 7, .permitted = 7, .bounding = 7 },
		{ .uid = 1000, .effective = 7, .permitted = 7, .inheritable = 7, .ambient = 7, .bounding = 7 },
		{ .uid = 1000, .bounding = 7 },
		{ .uid = 1000, .effective = 7, .permitted = 7, .inheritable = 7, .bounding = 7 },
		{ .uid = 0, .effective = 7, .permitted = 7, .bounding = 15 },
		{ .uid = 0, .effective = 7, .permitted = 7, .bounding = 7, .label = "label" },
	};

	for (unsigned i = 0; i < sizeof(tests) / sizeof(*tests); i++)
		printf("%u %d\n", i, route_of(&tests[i], "/bin/true"));
	printf("path %d\n", route_of(&tests[0], "/proc/self/exe"));
	return 0;
}
EOF
check 'route.c compiles' compile routes
prints 'route: what it says of identities' '0 0
1 0
2 0
3 2
4 2
5 3
path 5' 0 "$dir/routes"

echo "1..$count"
[ "$failures" = 0 ]
