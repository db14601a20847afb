#!/bin/sh
# SPDX-License-Identifier: MIT
# The recipes of docs/embedding.md compile and do what the page promises. Writes TAP.
# shellcheck disable=SC2317 # check calls the functions
set -u
: "${ERRPIPE_SRC:?}" "${ERRPIPE_BUILD:?}" "${NOLIBC:?}"

count=0 failures=0 mode=run
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT PIPE TERM

result() {
	count=$((count + 1))
	[ "$1" = ok ] || failures=$((failures + 1))
	echo "$1 $count - $2"
}

# check TITLE COMMAND...: the command succeeds.
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

# where ABILITIES TEST TITLE...: run a test, or skip it if the machine lacks one of the abilities (scripts/build/machine).
where() {
	# shellcheck disable=SC2086 # a list
	if needs=$("$ERRPIPE_SRC/tests/support/lacks" $1); then
		result ok "$3 # SKIP $needs"
	else
		shift
		"$@"
	fi
}

# prints TITLE TEXT STATUS COMMAND...: the command prints exactly the lines of TEXT, in any order, and exits with STATUS.
prints() {
	what=$1 want=$(printf '%s\n' "$2" | sort) want_status=$3
	shift 3
	status=0
	got=$("$dir/target" "$mode" timeout 60 "$@" 2>&1 </dev/null) || status=$?
	got=$(printf '%s\n' "$got" | sort)
	if [ "$got" = "$want" ] && [ "$status" = "$want_status" ]; then
		result ok "$what"
	else
		result 'not ok' "$what"
		printf '%s\nprinted\n%s\nwith exit status %s, and not\n%s\nwith %s\n' "$*" "$got" "$status" "$want" \
			"$want_status" >&2
	fi
}

# A target that prints its descriptors and exits with 7. "target run COMMAND..." starts a command with only descriptors 0 to 2,
# because the tests may have inherited others. It leaves the orphans of the command as zombies. "target reap COMMAND..." does the
# same, but reaps orphans as soon as they have ended.
make_target() {
	cat >"$dir/target.c" <<-'EOF'
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <signal.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/prctl.h>
		#include <sys/wait.h>
		#include <unistd.h>

		static int run(int reap, char **argv)
		{
			int status = 0;
			pid_t pid;

			close_range(3, ~0U, 0);
			prctl(PR_SET_CHILD_SUBREAPER, 1);
			pid = fork();
			if (pid == 0) {
				execvp(argv[0], argv);
				_exit(127);
			}
			while (waitpid(reap ? -1 : pid, &status, 0) != pid)
				;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		}

		int main(int argc, char **argv)
		{
			if (argc > 2)
				return run(strcmp(argv[1], "reap") == 0, argv + 2);
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
	"$ERRPIPE_SRC/tests/support/make" \
		"$ERRPIPE_BUILD/stubs/aarch64/hello" && cp "$ERRPIPE_BUILD/stubs/aarch64/hello" "$dir/foreign"
}

# extract: write each C block of the page to the file that its first line names.
extract() {
	awk -v dir="$dir" '
		/^```c$/ { getline; file = dir "/" $2; sub(/:$/, "", file) }
		/^```$/ { file = "" }
		file { print >file }
	' "$ERRPIPE_SRC/docs/embedding.md"
	for recipe in $recipes one-fifo route; do
		[ -s "$dir/$recipe.c" ] || return 1
	done
	[ "$(grep -c '^```c$' "$ERRPIPE_SRC/docs/embedding.md")" = 11 ]
}

# compile NAME [OPTION...]
compile() {
	name=$1
	shift
	cc -std=gnu99 -Wall -Wextra -Werror "$@" -I"$ERRPIPE_SRC/errpipe" -o "$dir/$name" "$dir/$name.c" \
		"$ERRPIPE_BUILD/liberrpipe-explain.a" "$ERRPIPE_BUILD/liberrpipe.a"
}

# in_state TITLE LINES SCRIPT ARG...: run the script with the program as $0 and a new state directory for a container as $1.
in_state() {
	what=$1 want=$2 script=$3
	shift 3
	state=$(mktemp -d "$dir/state.XXXXXX")
	prints "$program: $what" "$want" 0 sh -c "$script" "$dir/$program" "$state" "$@"
}

recipes='init create-start events last-steps sandbox container wrap mounted-stub explain'
check 'a target' make_target
check 'a program for another machine' make_foreign
printf '#!/no/interpreter\n' >"$dir/script"
chmod 755 "$dir/script"
check 'the page has the recipes' extract
for recipe in $recipes; do
	check "$recipe.c compiles" compile "$recipe"
done

# refusals: print lines of a word, a path that cannot be exec'd, the exit code, and the words of the message.
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
prints 'init: the target runs with descriptors 0 to 2 only' 'target sees 0 1 2' 7 "$init" / "$dir/target"
# shellcheck disable=SC2016 # the inner shell expands them
prints "init: the runtime's descriptors are closed below, between and above ours" 'target sees 0 1 2' 7 \
	sh -c 'exec 3</dev/null 5</dev/null 9</dev/null; exec "$@"' sh "$init" / "$dir/target"
while read -r word path code words; do
	prints "init: $word" "exec $path: $words" "$code" "$init" / "$path"
done <"$dir/refusals"
prints 'init: a step that fails' "exec $dir/target: set-up step 1 failed (ENOENT)" 125 "$init" "$dir/missing" "$dir/target"
prints 'init: /proc/self/exe is the stub, not init' '' 125 "$init" / /proc/self/exe / "$dir/target"
# shellcheck disable=SC2016
prints 'init: a signal kills the target' '' 143 "$init" / /bin/sh -c 'kill -TERM $$'

# --- create-start, with two FIFOs and with one. $0 is the program, $1 the directory, $2 the path.

check 'one-fifo.c compiles' compile create-start -DONE_FIFO
mv "$dir/create-start" "$dir/one-fifo"
check 'create-start.c compiles again' compile create-start

# An ordinary user needs to be root of a user namespace for chroot(2).
as_root='' own_root='' own_pids=pid-namespaces
[ "$(id -u)" = 0 ] || as_root='unshare -r' own_root=user-namespaces own_pids=user-namespaces
mkdir -p "$dir/root/proc/self/fd"
check 'a target without libraries' cc -static -o "$dir/root/target" "$dir/target.c"
for fd in 3 4 5 6 7 8 9 10; do
	echo precious >"$dir/root/proc/self/fd/$fd"
done

# shellcheck disable=SC2016
try='"$0" create "$1" / "$2"; echo "create $?"; "$0" start "$1"; echo "start $?"'
# Start a child that is killed before it makes the system call $3.
# shellcheck disable=SC2016
try_killed='"$0" create "$1" / "$2"; pid=$(cut -d" " -f1 "$1/init")
strace -qq -o "$1/log" -e trace="$3" -e inject="$3":signal=KILL -p "$pid" &
until grep -q "^TracerPid:.*[1-9]" "/proc/$pid/status"; do :; done
"$0" start "$1"; echo "start $?"; wait'
for program in create-start one-fifo; do
	in_state 'the target runs with descriptors 0 to 2 only' 'create 0
start 0
target sees 0 1 2' "$try" "$dir/target"
	while read -r word path code words; do
		in_state "$word" "create 0
exec $path: $words
start $code" "$try" "$path"
	done <"$dir/refusals"
	# shellcheck disable=SC2016
	where tracing in_state 'a step that fails' "exec $dir/target: set-up step 1 failed (EPERM)
create 125" 'strace -f -qq -o "$1/log" -e trace=setsid -e inject=setsid:error=EPERM "$0" create "$1" / "$2"
echo "create $?"; rm "$1/log"; ls "$1"' "$dir/target"
	# shellcheck disable=SC2016
	in_state 'a second create in the same directory' "create 0
exec $dir/target: set-up step 0 failed (EEXIST)
create 125
start 0
target sees 0 1 2" '"$0" create "$1" / "$2"; echo "create $?"; "$0" create "$1" / "$2"; echo "create $?"; "$0" start "$1"; echo "start $?"' "$dir/target"
	# The child may or may not be dead when start runs, so try it many times.
	# shellcheck disable=SC2016
	in_state 'killed between create and start' '20 times: ended before it started, 125' \
		'for i in $(seq 20); do mkdir "$1/$i"; "$0" create "$1/$i" / "$2"; kill -KILL "$(cut -d" " -f1 "$1/$i/init")"
"$0" start "$1/$i" 2>&1; echo $?; done >"$1/log"
sed "N;s|^exec $2: \(.*\)\n|\1, |" "$1/log" | sort | uniq -c | sed "s/ *\([0-9]*\) /\1 times: /"' "$dir/target"
	where tracing in_state 'killed before it becomes the stub' "exec $dir/target: ended before it started
start 125" "$try_killed" "$dir/target" execveat
	# shellcheck disable=SC2016
	in_state 'the child has ended when start reports a failure' "exec $dir/foreign: exec format error
Z" '"$0" create "$1" / "$2"; "$0" start "$1"; cut -d" " -f3 "/proc/$(cut -d" " -f1 "$1/init")/stat"' "$dir/foreign"
	# shellcheck disable=SC2016
	in_state 'nothing is started twice' 'create 0
start 0
'"$program"': started already
start 125
target sees 0 1 2' "$try"'; "$0" start "$1" 2>"$1/second"; echo "start $?"; cat "$1/second"' "$dir/target"
	# shellcheck disable=SC2016
	in_state 'a pid that now belongs to another process' "exec $dir/target: ended before it started
start 125
another 0" '"$0" create "$1" / "$2"; read -r pid start <"$1/init"; kill -KILL "$pid"
sleep 60 & echo "$! 1" >"$1/init"; "$0" start "$1"; echo "start $?"; kill $!; echo "another $?"' "$dir/target"
done
program=create-start
# shellcheck disable=SC2016
where "$own_root" in_state 'a root with files where /proc should be' 'create 0
start 0
target sees 0 1 2' "$as_root "'"$0" create "$1" "$2" /target; echo "create $?"; "$0" start "$1"; echo "start $?"' "$dir/root"
program=one-fifo
# shellcheck disable=SC2016
where "$own_root" in_state 'a root with files where /proc should be' 'exec /target: set-up step 4 failed (EOPNOTSUPP)
create 125' "$as_root "'"$0" create "$1" "$2" /target; echo "create $?"; ls "$1"' "$dir/root"
# shellcheck disable=SC2016
check 'these files are unchanged' sh -c '[ "$(sort -u "$@")" = precious ]' sh "$dir"/root/proc/self/fd/*

# The child is alive but has not opened the FIFO when start opens it. start must wait instead of reading an end of file. It
# unlinks the FIFO before it waits; after that, the "child" ends.
# shellcheck disable=SC2016
in_state 'a FIFO without a writer does not mean that the target started' \
	"exec $dir/target: ended before it started
start 125" 'mkfifo "$1/exec.fifo" "$1/hold"
printf %s "$2" >"$1/path"
sh -c "cut -d\" \" -f1,22 /proc/\$\$/stat >\"$1/init\"; read line <\"$1/hold\"" & exec 4<>"$1/hold"
until [ -s "$1/init" ]; do :; done
{ "$0" start "$1"; echo "start $?"; } 4>&- & while [ -e "$1/exec.fifo" ]; do :; done
echo go >&4; wait' "$dir/target"

# The "child" answers and ends. The test keeps a copy of its report open until the child has been reaped.
program=create-start mode=reap
# shellcheck disable=SC2016
gone='mkfifo "$1/exec.fifo" "$1/report.fifo"; printf %s "$2" >"$1/path"; exec 4<>"$1/report.fifo"
(sh -c "cut -d\" \" -f1,22 /proc/\$\$/stat >\"$1/init\"; head -c 1 <&3 >\"$1/log\"; printf 0 >&4; $3" 3<>"$1/exec.fifo" &)
until [ -s "$1/init" ]; do :; done; read -r pid start <"$1/init"
{ "$0" start "$1"; echo "start $?"; } 4>&- &
while kill -0 "$pid" 2>"$1/log"; do :; done; exec 4>&-; wait'
kernel=$(uname -r)
if [ "$(printf '%s\n' 6.15 "$kernel" | sort -V | head -n 1)" = 6.15 ]; then
	in_state 'a short job that has already been reaped' 'start 0' "$gone" "$dir/target" 'exit 7'
else
	in_state 'a short job that has already been reaped' "exec $dir/target: cannot tell whether it started (reaped by somebody else?)
start 125" "$gone" "$dir/target" 'exit 7'
fi
# shellcheck disable=SC2016
in_state 'a killed child that has already been reaped' "exec $dir/target: cannot tell whether it started (reaped by somebody else?)
start 125" "$gone" "$dir/target" 'kill -KILL $$'
mode=run

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
prints 'events: all children at once' "$want" 0 "$events" / "$dir/target" "$@"
# Repeat this, because the last child must be in the middle of its exec when the first has ended.
# shellcheck disable=SC2016
prints 'events: no event for a child that was reaped' '' 0 \
	sh -c 'for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "$@" >/dev/null || exit; done' \
	sh "$events" / "$@" "$@"
prints 'events: a step that fails' "exec $dir/target: set-up step 0 failed (ENOENT)
$dir/target: exit code 125" 0 "$events" "$dir/missing" "$dir/target"

# --- last-steps

last_steps=$dir/last-steps
# same: the target has the same state after the steps by hand and by setup.
same() {
	for way in by-hand by-setup; do
		"$last_steps" "$way" "$dir/dump" >"$dir/$way" || return
	done
	grep -q 'CapAmb:.*20$' "$dir/by-setup" && diff "$dir/by-hand" "$dir/by-setup"
}
# shorter: by_setup has less than half the lines of what it replaces, and the page has the numbers.
shorter() {
	by_hand=$(sed -n '/^\/\* Before:/,/^\/\* End of the steps by hand/p' "$last_steps.c" | wc -l)
	by_setup=$(sed -n '/^\/\* After:/,/^\/\* End of the steps by setup/p' "$last_steps.c" | wc -l)
	[ $((2 * by_setup)) -lt "$by_hand" ] && grep -qF "with $by_setup lines for $by_hand:" "$ERRPIPE_SRC/docs/embedding.md"
}
# as_dumped: a user other than root reaches the target in $dir.
as_dumped() {
	chmod 711 "$dir" && cp "$ERRPIPE_BUILD/tests/prog_dump" "$dir/dump"
}
check 'last-steps: a target' as_dumped
where 'root seccomp' check 'last-steps: by hand and by setup, the target is the same' same
check 'last-steps: by setup they are shorter' shorter
where 'root seccomp' prints 'last-steps: by hand' 'last-steps: init: Exec format error' 125 "$last_steps" by-hand "$dir/foreign"
where 'root seccomp' prints 'last-steps: by setup' "exec $dir/foreign: exec format error" 126 "$last_steps" by-setup "$dir/foreign"
where root prints 'last-steps: a step that fails' "exec $dir/dump: cannot drop a capability from the bounding set (EPERM)" 125 \
	setpriv --reuid=65534 --regid=65534 --clear-groups "$last_steps" by-setup "$dir/dump"

# --- sandbox

sandbox=$dir/sandbox
where 'landlock seccomp' prints 'sandbox: the target has descriptors 0 to 2' 'target sees 0 1 2' 7 "$sandbox" "$dir/target" /usr /lib /lib64 /etc "$dir"
where 'landlock seccomp' prints 'sandbox: a program in no directory of the operands' "exec $dir/target: permission denied" 126 \
	"$sandbox" "$dir/target" /usr
where landlock prints 'sandbox: a directory that does not exist' "sandbox: /nowhere: No such file or directory" 125 "$sandbox" "$dir/target" /nowhere

# --- container

# The container runs with root's ids, but as an ordinary user of this machine.
mkdir -p "$dir/rootfs/bin" "$dir/rootfs/proc" && cp "$(command -v busybox)" "$dir/rootfs/bin/sh"
# shellcheck disable=SC2016 # the shell in the container expands it
printf 'echo $$ "$(cat /proc/sys/kernel/hostname)" /* $(grep -c : /proc/net/dev) $(sed -n "s/CapEff:.//p" /proc/self/status)' >"$dir/rootfs/look"
can_contain='user-namespaces pid-namespaces'
where "$can_contain" prints 'container: the target sees only the container' '1 container /bin /look /proc 1 0000000000000000' 0 \
	unshare -r "$dir/container" "$dir/rootfs" /bin/sh /look
where "$can_contain" prints 'container: a program that is missing' 'exec /bin/true: no such file or directory' 127 \
	unshare -r "$dir/container" "$dir/rootfs" /bin/true
where "$can_contain" prints 'container: a root that is missing' 'container: cannot mount the root: no such file or directory' 125 \
	unshare -r "$dir/container" "$dir/nowhere" /bin/sh
where "$can_contain" prints 'container: a root without /proc' 'container: cannot mount /proc: no such file or directory' 125 \
	unshare -r "$dir/container" "$dir/rootfs/bin" /bin/sh

# --- the lines of other interfaces

sed -n '/^## Lines of other interfaces/,/^## An/p' "$ERRPIPE_SRC/docs/embedding.md" >"$dir/lines"
# in_lines: each word of standard input is in that section, as code.
in_lines() {
	tr -s ' \n' '\n' | sort -u >"$dir/words"
	[ "$(wc -l <"$dir/words")" -gt "$1" ] || return
	absent=$(while read -r word; do grep -q -e "[\`(]${word}[\`)]" -e "| ${word}[,;| ]" -e "[,;] ${word}[,; ]" "$dir/lines" || echo "$word"; done <"$dir/words")
	echo "$absent"
	[ -z "$absent" ]
}
members() {
	sed -n '/^struct errpipe_setup {/,/^};/p' "$ERRPIPE_SRC/errpipe/errpipe.h" | sed 's,/\*.*,,' |
		sed -n 's/^\t[^*/].*[ *]\([a-z_]*\);.*/\1/p' | grep -vx 'set\|reserved\|.*_length\|affinity_size' | in_lines 20
}
flags() {
	sed -n '/^enum errpipe_set {/,/^};/s/^\tERRPIPE_\(SET_\)\{0,1\}\([A-Z_]*\) = .*/\2/p' "$ERRPIPE_SRC/errpipe/errpipe.h" | in_lines 15
}
of_setpriv() {
	setpriv --help | grep -o -e '--[a-z-]*' | grep -vx -e '--dump\|--help\|--version\|--' | in_lines 10
}
of_go() {
	go doc syscall.SysProcAttr | sed -n 's/^\t\([A-Z][A-Za-z]*\)  *[^ ].*/\1/p' | in_lines 15
}
check 'lines: every member of a setup' members
check 'lines: every flag of a setup' flags
check 'lines: every option of setpriv' of_setpriv
check 'lines: every field of SysProcAttr' of_go

# --- preexec

# shellcheck disable=SC2016 # these are no expansions
sed -n '/^```python$/,/^```$/{/^```/d;p}' "$ERRPIPE_SRC/docs/embedding.md" >"$dir/preexec.py"
# python STATEMENT ARG...: run it with everything that the recipe defines.
cat >"$dir/python" <<-EOF
	#!/bin/sh
	statement=\$1
	shift
	PATH=$ERRPIPE_BUILD:\$PATH PYTHONPATH=$dir PYTHONDONTWRITEBYTECODE=1 exec python3 -c "from preexec import *
	\$statement" "\$@"
EOF
chmod 755 "$dir/python"
# shellcheck disable=SC2016 # the target's shell expands it
prints 'preexec: the changes' '0027 64 1' 0 "$dir/python" \
	'popen(make_stub("--umask=027", "--limit=nofile=64", "--no-new-privs"), "/bin/sh", ["sh", "-c", sys.argv[1]]).wait()' \
	'echo $(umask) $(ulimit -n) $(sed -n "s/NoNewPrivs:.//p" /proc/self/status)'
prints 'preexec: the target has descriptors 0 to 2' 'target sees 0 1 2' 7 "$dir/python" \
	'sys.exit(popen(make_stub(), sys.argv[1], ["target"]).wait())' "$dir/target"
prints 'preexec: one stub for many, in threads' '20' 0 "$dir/python" \
	'import threading
stub, codes = make_stub("--chdir=/"), []
start = lambda: codes.append(popen(stub, "/bin/sh", ["sh", "-c", "exit 3"]).wait())
threads = [threading.Thread(target=start) for _ in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(codes.count(3))'
prints 'preexec: a failed exec' "exec $dir/foreign: exec format error" 1 "$dir/python" \
	'try: popen(make_stub(), sys.argv[1], ["x"])
except OSError as error: sys.exit(print(error) or 1)' "$dir/foreign"
prints 'preexec: a failed step' 'exec /bin/sh: cannot change to the working directory (ENOENT)' 1 "$dir/python" \
	'try: popen(make_stub("--chdir=/nowhere"), "/bin/sh", ["sh"])
except OSError as error: sys.exit(print(error) or 1)'
if [ "$(id -u)" = 0 ]; then
	# shellcheck disable=SC2016 # the target's shell expands it
	prints 'preexec: as a program' '65534 64' 0 env PATH="$ERRPIPE_BUILD:$PATH" python3 "$dir/preexec.py" /bin/sh -c 'echo $(id -u) $(ulimit -n)'
fi

# --- wrap, around a stand-in that keeps its copy of the descriptor, like runc. tests/shell/containers.sh tests real runtimes.

cat >"$dir/runtime" <<-EOF
	#!/bin/sh
	"$ERRPIPE_BUILD/dmz" 3 "\$1" target
EOF
chmod 755 "$dir/runtime"
wrap=$dir/wrap
prints 'wrap: the target runs and does not have the report' 'target sees 0 1 2' 7 "$wrap" "$dir/target" "$dir/runtime" "$dir/target"
while read -r word path code words; do
	prints "wrap: $word" "exec $path: $words" "$code" "$wrap" "$path" "$dir/runtime" "$path"
done <"$dir/refusals"
prints 'wrap: a runtime that fails by itself' 'no bundle' 1 "$wrap" "$dir/target" sh -c 'echo no bundle >&2; exit 1'
prints 'wrap: a runtime that does not exist' "exec $dir/target: set-up step 0 failed (ENOENT)" 125 \
	"$wrap" "$dir/target" "$dir/missing"
# The write end is normally 4. With 3 taken it is 5; with standard input closed it is 3.
# shellcheck disable=SC2016
for redirection in '3</dev/null' '0<&-'; do
	prints "wrap: started with $redirection" "exec $dir/foreign: exec format error" 126 \
		sh -c "exec $redirection; "'exec "$@"' sh "$wrap" "$dir/foreign" "$dir/runtime" "$dir/foreign"
done

# --- mounted-stub, as root, where memfds cannot be exec'd: since Linux 6.3 each pid namespace has its own vm.memfd_noexec

# shellcheck disable=SC2016
no_memfd='sysctl=/proc/sys/vm/memfd_noexec; ! [ -w $sysctl ] || echo 2 >$sysctl; exec "$@"'
while read -r word path code words; do
	# shellcheck disable=SC2086 # a list
	where "$own_pids" prints "mounted-stub: $word" "exec $path: $words" "$code" $as_root unshare -mpf --mount-proc sh -c "$no_memfd" sh \
		"$dir/mounted-stub" "$ERRPIPE_BUILD/dmz" "$path"
done <"$dir/refusals"
# shellcheck disable=SC2086 # likewise
where "$own_pids" prints 'mounted-stub: the target runs with descriptors 0 to 2 only' 'target sees 0 1 2' 7 $as_root unshare -mpf --mount-proc \
	sh -c "$no_memfd" sh "$dir/mounted-stub" "$ERRPIPE_BUILD/dmz" "$dir/target"

# --- explain, in a root other than the caller's

mkdir "$dir/image"
cp "$dir/script" "$dir/image"
: >"$dir/image/empty"
chmod 755 "$dir/image/empty"

# explains TITLE PATH LINES STATUS: the exec of PATH in the image has failed; explain prints LINES.
explains() {
	"$ERRPIPE_BUILD/dmz" 3 "$dir/image$2" name 3>"$dir/record"
	# shellcheck disable=SC2016
	prints "explain: $1" "$3" "$4" sh -c '"$@" <"$0"' "$dir/record" "$dir/explain" "$dir/image" "$2"
}

explains 'an empty file' /empty "exec /empty: exec format error
\"/empty\" is an empty file
build, copy or download it again" 126
explains 'an interpreter that is missing' /script "exec /script: no such file or directory
its interpreter \"/no/interpreter\" does not exist: \"/no\" is missing
install it, or correct the first line of \"/script\"" 127
# The record is about another step, so nothing in the image can explain it.
"$ERRPIPE_BUILD/dmz" 3 "$dir/image/empty" name 3>"$dir/record"
printf '\001\200' | dd of="$dir/record" bs=1 seek=6 conv=notrunc status=none
# shellcheck disable=SC2016
prints "explain: a step of the caller's own" "exec /empty: set-up step 1 failed (ENOEXEC)
one of the caller's own steps failed (ENOEXEC) before \"/empty\" was tried
check the caller's steps between fork and exec" 125 \
	sh -c '"$@" <"$0"' "$dir/record" "$dir/explain" "$dir/image" /empty
# In the caller's root this link leads to a directory.
ln -s /usr "$dir/image/sbin"
explains 'a link cannot lead out of the root' /sbin/env "exec /sbin/env: no such file or directory
\"/sbin/env\" goes through \"/sbin\", a symlink to \"/usr\", which does not exist
create \"/usr\" or correct the symlink \"/sbin\"" 127
"$ERRPIPE_BUILD/dmz" 3 "$dir/target" name 3>"$dir/record" >"$dir/log"
# shellcheck disable=SC2016
prints 'explain: no output for a target that started' '' 0 sh -c '"$@" <"$0"' "$dir/record" "$dir/explain" / "$dir/target"

# --- mistakes of the caller

for recipe in $recipes one-fifo; do
	usage=$(sed -n "1s|^/\* $recipe.c \([^:]*\): .*|\1|p" "$dir/$recipe.c")
	case $recipe in create-start | one-fifo) usage='create STATE ROOT PATH [ARG...] | start STATE' ;; esac
	prints "$recipe: no arguments" "$recipe: usage: $usage" 125 "$dir/$recipe"
done
prints 'explain: standard input that is not a record' 'explain: standard input is not a record' 125 \
	sh -c 'echo no | "$@"' sh "$dir/explain" / /bin/sh
prints 'mounted-stub: a missing file' "mounted-stub: cannot mount a copy of $dir/missing" 125 \
	"$dir/mounted-stub" "$dir/missing" "$dir/target"
prints 'create-start: a missing directory' "create-start: $dir/missing: No such file or directory" 125 \
	"$dir/create-start" start "$dir/missing"

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
prints 'route: the routes of identities' '0 0
1 0
2 0
3 2
4 2
5 3
path 5' 0 "$dir/routes"

# The route is computed first. After that, errpipe_exec makes only the system calls that the page lists.
cat >"$dir/filtered.c" <<'EOF'
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "route.c"

/* Kill the process for every system call except those that the page lists, and uname(2) and exit(2) of the target. */
static int filter(int execveat)
{
	static const int allowed[] = { SYS_fcntl, SYS_execve, SYS_rt_sigprocmask, SYS_write, SYS_exit_group, SYS_uname, SYS_exit,
				       SYS_execveat };
	unsigned n = sizeof(allowed) / sizeof(*allowed) - !execveat;
	struct sock_filter code[16] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
	struct sock_fprog program = { n + 3, code };

	for (unsigned i = 0; i < n; i++)
		code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], n - i, 0);
	code[n + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	code[n + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -1 : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
	const struct process process = { .effective = 7, .permitted = 7, .bounding = 7, .no_new_privs = 1 };
	int pipe[2], stub = errpipe_stub();
	struct errpipe_report report;
	struct errpipe_child child;
	char line[4352];
	pid_t pid;

	if (argc != 3 || stub < 0 || errpipe_pipe(pipe) < 0 || route_of(&process, argv[2]) != ERRPIPE_STUB)
		return 1;
	pid = fork();
	if (pid == 0) {
		if (filter(strcmp(argv[1], "execveat") == 0) == 0)
			errpipe_exec(stub, 0, pipe[1], argv[2], argv + 2, environ);
		_exit(1);
	}
	close(pipe[1]);
	errpipe_adopt(&child, pid, stub, pipe[0]);
	if (errpipe_wait(&child, &report) < 0)
		return 1;
	errpipe_message(line, sizeof(line), &report, argv[2]);
	puts(line);
	return 0;
}
EOF
check 'filtered.c compiles' compile filtered
hello=$ERRPIPE_BUILD/stubs/$(uname -m)/hello
"$ERRPIPE_SRC/tests/support/make" "$hello" >&2
where seccomp prints 'route: a filter that allows what the page lists' "hello from $(uname -m)
exec $hello: started" 0 "$dir/filtered" execveat "$hello"
where seccomp prints 'route: the same filter with a target that cannot be executed' "exec $dir/foreign: exec format error" 0 \
	"$dir/filtered" execveat "$dir/foreign"
where seccomp prints 'route: a filter that kills on execveat' "exec $hello: killed by SIGSYS before it started" 0 \
	"$dir/filtered" none "$hello"

echo "1..$count"
[ "$failures" = 0 ]
