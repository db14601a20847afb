#!/bin/sh
# SPDX-License-Identifier: MIT
# The functions that the libraries call: they do not allocate, print, read the environment or the locale, or change a signal
# disposition. If a library calls a function that is not on its list below, check the function and add it. Writes TAP.
set -eu

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

# Functions of signal-safety(7), and bare system calls. The last line has the only other one, for callers that may wait.
liberrpipe='
	clock_gettime clone close execve fchmod fcntl fstat fstatvfs getegid geteuid getgid getpid getrlimit getuid ioctl kill lseek mmap
	munmap open personality pipe2 prctl pread
	read readlink stat statfs syscall sysconf uname waitid write
	sigaddset sigemptyset sigismember sigpending sigtimedwait
	__errno_location bcmp memchr memcpy memmove memset memcmp
	stpcpy strcat strchr strcmp strcpy strcspn strlen strncmp strnlen strrchr strspn strstr
	poll waitpid
	pthread_setcancelstate'

# liberrpipe-explain never runs between fork and exec, so it may also format numbers and inspect more of the system.
liberrpipe_explain="$liberrpipe"'
	access fstatfs getcwd getgroups getxattr lstat memmem openat readlinkat strpbrk sysinfo
	snprintf sscanf strsep strtoul vsnprintf'

# Functions that no list may contain, in case a list is extended carelessly.
forbidden='malloc calloc realloc reallocarray free strdup asprintf vasprintf alloca printf fprintf dprintf
	sprintf puts fputs perror psignal syslog stdout stderr getenv secure_getenv environ setlocale
	strerror strerror_r signal sigaction sigset bsd_signal sysv_signal sigvec siginterrupt system popen fork vfork posix_spawn
	execvp execvpe execlp exit abort atexit'

# undefined ARCHIVE: print "OBJECT SYMBOL" for each symbol that an object takes from elsewhere. It omits symbols that a compiler
# adds, and prints the plain names of functions that _FORTIFY_SOURCE and large files rename.
undefined() {
	nm -A -g -P --defined-only "$1" | awk '{ print $2 }' | sort -u >"$tmp/defined"
	nm -A -u -P "$1" | sed -n 's/.*[:[]\([a-z_0-9]*\.o\)\]*: \([^ ]*\).*/\1 \2/p' |
		awk 'NR == FNR { own[$1]; next } !($2 in own)' "$tmp/defined" - |
		grep -Ev ' (_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__tls_get_addr)$' |
		grep -Ev ' __(asan|ubsan|tsan|msan|sanitizer|sancov|gcov|llvm)_' |
		sed 's/ __\([a-z_0-9]*\)_chk$/ \1/; s/ __\(open\|openat\|open64\|openat64\)_2$/ \1/; s/ \(open\|openat\|fcntl\|stat\|lstat\|fstat\|fstatfs\|statfs\|fstatvfs\|getrlimit\|lseek\|mmap\|pread\)64$/ \1/;
			s/ __isoc99_sscanf$/ sscanf/'
}

# unknown LIST: print the lines of undefined whose symbol is not on the list. Fails if there are none.
unknown() {
	awk -v allowed="$(echo "$1" | tr '\n' ' ')" '
		BEGIN { for (i = split(allowed, list, " "); i; i--) known[list[i]] }
		!($2 in known) { print; found = 1 }
		END { exit !found }'
}

# functions HEADER: print the functions that it declares.
functions() {
	sed -n 's/^[a-z].*\b\(errpipe_[a-z_]*\)(.*/\1/p' "$ERRPIPE_SRC/errpipe/$1"
}

# check NAME LIST OBJECT SYMBOL OBJECT SYMBOL: the library calls only functions on the list. The two pairs must be among its calls.
check() {
	archive=$ERRPIPE_BUILD/$1.a
	undefined "$archive" >"$tmp/symbols"
	objects=$(ar t "$archive" | wc -l)

	# Otherwise the following checks would prove nothing.
	[ "$objects" -ge 10 ] && grep -qx "$3\.o $4" "$tmp/symbols" && grep -qx "$5\.o $6" "$tmp/symbols" && status=0 || status=1
	result "$status" "$1 has objects, and they call something"

	[ "$(ar t "$archive" | sort -u | wc -l)" = "$objects" ] && status=0 || status=1
	result "$status" "each object of $1 has its own name"

	unknown "$2" <"$tmp/symbols" >"$tmp/unknown" || :
	sed 's/^/not on the list: /' "$tmp/unknown" >&2
	[ ! -s "$tmp/unknown" ] && status=0 || status=1
	result "$status" "$1 calls nothing that is not on its list"

	status=0
	for symbol in $forbidden; do
		if grep " $symbol\$" "$tmp/symbols" >&2; then
			status=1
		fi
		if echo "list.o $symbol" | unknown "$2" >/dev/null; then
			continue
		fi
		echo "$symbol is on the list" >&2
		status=1
	done
	result "$status" "$1 does not allocate, print, fork, or read the environment or the locale"

	status=0
	nm -A -g -P --defined-only "$archive" | awk 'NF >= 3 { print $2 }' | grep -Ev '^(errpipe|ep)_' >&2 && status=1
	result "$status" "every name that $1 defines begins with errpipe_ or ep_"
}

check liberrpipe "$liberrpipe" exec syscall read read
# The installed archives are linked into programs, whose names must not clash with private ones.
for archive in "$ERRPIPE_BUILD"/stripped/*.a; do
	nm -g -P --defined-only "$archive" | awk 'NF >= 3 { print $1 }' >"$tmp/names"
	grep -q '^errpipe_' "$tmp/names" && ! grep -v '^errpipe_' "$tmp/names" >&2 && status=0 || status=1
	result "$status" "$(basename "$archive"), as installed, defines public names only"
done
# liberrpipe-explain uses only public functions of liberrpipe, like other programs.
check liberrpipe-explain "$liberrpipe_explain $(functions errpipe.h)" file pread explain errpipe_identity

# A setup can reset the dispositions of a child, and without CLONE_CLEAR_SIGHAND so does errpipe_spawn(). No symbol shows that.
(cd "$ERRPIPE_SRC/errpipe" && grep -l SYS_rt_sigaction common/*.c lib/*.c explain/*.c explain/*/*.c) >"$tmp/files" || true
[ "$(tr '\n' ' ' <"$tmp/files")" = 'lib/setup.c lib/spawn.c ' ] && status=0 || status=1
result "$status" "signal dispositions are set for children only"

echo "list.o snprintf" | unknown "$liberrpipe" >/dev/null && status=0 || status=1
result "$status" "only the explanation may call snprintf"

# Test the check itself, with an object that calls forbidden functions.
cat >"$tmp/bad.c" <<'END'
#include <stdlib.h>
char *bad(void);
char *bad(void) { return getenv("ERRPIPE_STUB") ? malloc(1) : 0; }
END
if command -v "${CC:-cc}" >/dev/null 2>&1; then
	"${CC:-cc}" -c -o "$tmp/bad.o" "$tmp/bad.c"
	ar rcs "$tmp/bad.a" "$tmp/bad.o"
	{ undefined "$tmp/bad.a" | unknown "$liberrpipe"; } | sort >"$tmp/seen"
	[ "$(tr '\n' ' ' <"$tmp/seen")" = "bad.o getenv bad.o malloc " ] && status=0 || status=1
	result "$status" "getenv and malloc would be detected"
else
	n=$((n + 1))
	echo "ok $n - getenv and malloc would be detected # SKIP no compiler"
fi

echo "1..$n"
exit "$failed"
