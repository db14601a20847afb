#!/bin/sh
# SPDX-License-Identifier: MIT
# What the library calls: it allocates nothing, prints nothing, reads no environment variable and no locale, and
# changes no signal disposition. A function that is not on the list below has to be looked at and added here.
set -eu

library=$ERRPIPE_BUILD/liberrpipe.a
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0 failed=0

# result STATUS WHAT
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
}

# In signal-safety(7), or bare system calls; in the last line the one that is neither, for callers that may wait.
allowed='
	clock_gettime clone close execve fchmod fcntl fstat fstatvfs getegid geteuid getgid getpid getrlimit getuid ioctl kill lseek mmap
	munmap open personality pipe2 prctl
	read readlink stat statfs syscall sysconf uname waitid write
	sigaddset sigemptyset sigismember sigpending sigtimedwait
	__errno_location bcmp memchr memcpy memmove memset memcmp
	stpcpy strcat strchr strcmp strcpy strcspn strlen strncmp strnlen strrchr strspn strstr
	poll waitpid
	pthread_setcancelstate'

# explain runs in no child between fork and exec. So it may format numbers, and look at more of the system.
allowed_in_explain='
	access fstatfs getgroups getxattr lstat openat pread readlinkat sysinfo
	snprintf sscanf strsep strtoul vsnprintf'

# What no function of the list may become, as a list may be extended without a thought.
forbidden='malloc calloc realloc reallocarray free strdup asprintf vasprintf alloca printf fprintf dprintf
	snprintf sprintf vsnprintf puts fputs perror psignal syslog stdout stderr getenv secure_getenv environ setlocale
	strerror strerror_r signal sigaction sigset bsd_signal sysv_signal sigvec siginterrupt system popen fork vfork posix_spawn
	execvp execvpe execlp exit abort atexit'

# undefined ARCHIVE: "OBJECT SYMBOL" for each symbol that an object has from elsewhere. Not what a compiler adds for
# itself; and by their plain names what _FORTIFY_SOURCE and large files rename.
undefined() {
	nm -A -g -P --defined-only "$1" | awk '{ print $2 }' | sort -u >"$tmp/defined"
	nm -A -u -P "$1" | sed -n 's/.*[:[]\([a-z_0-9]*\.o\)\]*: \([^ ]*\).*/\1 \2/p' |
		awk 'NR == FNR { own[$1]; next } !($2 in own)' "$tmp/defined" - |
		grep -Ev ' (_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__tls_get_addr)$' |
		grep -Ev ' __(asan|ubsan|tsan|msan|sanitizer|sancov|gcov|llvm)_' |
		sed 's/ __\([a-z_0-9]*\)_chk$/ \1/; s/ __\(open\|openat\|open64\|openat64\)_2$/ \1/; s/ \(open\|openat\|fcntl\|stat\|lstat\|fstat\|fstatfs\|statfs\|fstatvfs\|getrlimit\|lseek\|mmap\|pread\)64$/ \1/;
			s/ __isoc99_sscanf$/ sscanf/'
}

# The objects of explain, whose names no others have.
explain=$(cd "$ERRPIPE_SRC/errpipe/explain" && basename -s .c -a ./*.c ./*/*.c | sed 's/$/.o/' | tr '\n' ' ')

# unknown: of the lines of undefined, those with a symbol that is not allowed. Fails if there is none.
unknown() {
	awk -v allowed="$(echo "$allowed" | tr '\n' ' ')" -v more="$(echo "$allowed_in_explain" | tr '\n' ' ')" \
		-v explain="$explain" '
		BEGIN {
			for (i = split(allowed, list, " "); i; i--) known[list[i]]
			for (i = split(more, list, " "); i; i--) known_in_explain[list[i]]
			for (i = split(explain, list, " "); i; i--) is_explain[list[i]]
		}
		!($2 in known) && !($1 in is_explain && $2 in known_in_explain) { print; found = 1 }
		END { exit !found }'
}

undefined "$library" >"$tmp/symbols"
objects=$(ar t "$library" | wc -l)

# Or all that follows would say nothing.
[ "$objects" -ge 10 ] && grep -q '^exec\.o syscall$' "$tmp/symbols" && grep -q '^read\.o read$' "$tmp/symbols" && status=0 ||
	status=1
result "$status" "the library has objects, and they call something"

unknown <"$tmp/symbols" >"$tmp/unknown" || :
sed 's/^/not on the list: /' "$tmp/unknown" >&2
[ ! -s "$tmp/unknown" ] && status=0 || status=1
result "$status" "it calls nothing that is not on the list"

# is_allowed SYMBOL OBJECT
is_allowed() {
	[ -z "$(echo "$2 $1" | unknown)" ]
}

status=0
for symbol in $forbidden; do
	if grep " $symbol\$" "$tmp/symbols" | unknown >&2; then
		status=1
	fi
	if is_allowed "$symbol" list.o || { is_allowed "$symbol" explain.o && [ "${symbol#v}" != snprintf ]; }; then
		echo "$symbol is on the list" >&2
		status=1
	fi
done
result "$status" "it neither allocates, prints, forks, nor asks the environment or the locale"

# Where there is no CLONE_CLEAR_SIGHAND the child of errpipe_spawn() resets its own. No symbol shows that.
(cd "$ERRPIPE_SRC/errpipe" && grep -l SYS_rt_sigaction lib/*.c explain/*.c explain/*/*.c) >"$tmp/files" || true
[ "$(cat "$tmp/files")" = lib/spawn.c ] && status=0 || status=1
result "$status" "signal dispositions are set in spawn.c only"

status=0
nm -A -g -P --defined-only "$library" | awk 'NF >= 3 { print $2 }' | grep -Ev '^(errpipe|ep)_' >&2 && status=1
result "$status" "every name that it defines begins with errpipe_ or ep_"

# The check itself, with an object that does what must not be done.
cat >"$tmp/bad.c" <<'END'
#include <stdlib.h>
char *bad(void);
char *bad(void) { return getenv("ERRPIPE_STUB") ? malloc(1) : 0; }
END
if command -v "${CC:-cc}" >/dev/null 2>&1; then
	"${CC:-cc}" -c -o "$tmp/bad.o" "$tmp/bad.c"
	ar rcs "$tmp/bad.a" "$tmp/bad.o"
	{ undefined "$tmp/bad.a" | unknown; } | sort >"$tmp/seen"
	[ "$(tr '\n' ' ' <"$tmp/seen")" = "bad.o getenv bad.o malloc " ] && status=0 || status=1
	result "$status" "getenv and malloc would be seen"
else
	n=$((n + 1))
	echo "ok $n - getenv and malloc would be seen # SKIP no compiler"
fi

echo "1..$n"
exit "$failed"
