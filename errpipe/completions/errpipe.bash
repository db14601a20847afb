# SPDX-License-Identifier: MIT
# Completion for bash. For $(pkg-config --variable=completionsdir bash-completion)/errpipe.

# _errpipe_program N: what the words from N on are completed to, as a command of its own.
_errpipe_program() {
	if declare -F _command_offset >/dev/null; then
		_command_offset "$1"
	elif [ "$COMP_CWORD" -eq "$1" ]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$2")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$2")
	fi
}

_errpipe() {
	local word=$2 previous=$3 command=${COMP_WORDS[1]} options i
	local setup='--user --groups --chdir --umask --limit --capabilities --no-new-privs --new-session --seccomp --process --close-fds'

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W 'run exec decode explain stub help --help --version' -- "$word")
		return
	fi
	case $command in
	run) options="--policy --argv0 --explain --route --report --report-fd $setup --help" ;;
	exec) options="--policy --argv0 --explain $setup --help" ;;
	decode) options='--path --json --help' ;;
	stub) options="$setup --help" ;;
	explain) options='--root --bundle --cwd --path --as --errno --json --help' ;;
	help)
		[ "$COMP_CWORD" -ne 2 ] || mapfile -t COMPREPLY < <(compgen -W 'run exec decode explain stub' -- "$word")
		return
		;;
	*) return ;;
	esac

	# The program and its arguments are not ours.
	if [ "$command" != decode ]; then
		for ((i = 2; i < COMP_CWORD; i++)); do
			case ${COMP_WORDS[i]} in
			--) _errpipe_program $((i + 1)) "$word"; return ;;
			--policy | --argv0 | --explain | --route | --report | --report-fd) ((i++)) ;;
			--root | --bundle | --cwd | --path | --as | --errno) ((i++)) ;;
			--user | --groups | --chdir | --umask | --limit | --capabilities | --seccomp | --process) ((i++)) ;;
			-*) ;;
			*) _errpipe_program "$i" "$word"; return ;;
			esac
		done
	fi

	case $previous in
	--policy) mapfile -t COMPREPLY < <(compgen -W 'posix dockerd runc systemd' -- "$word") ;;
	--route) mapfile -t COMPREPLY < <(compgen -W 'auto stub direct' -- "$word") ;;
	--explain) mapfile -t COMPREPLY < <(compgen -W 'yes no' -- "$word") ;;
	--report | --path | --seccomp | --process) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	--root | --bundle | --cwd | --chdir) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
	--errno) mapfile -t COMPREPLY < <(compgen -W 'E2BIG EACCES EAGAIN EIO ELIBBAD ELOOP ENOENT ENOEXEC ENOMEM ENOTDIR EPERM ETXTBSY' -- "$word") ;;
	--user) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
	--groups) mapfile -t COMPREPLY < <(compgen -g -- "$word") ;;
	--argv0 | --report-fd | --as | --umask | --limit | --capabilities) ;;
	*)
		if [[ $word == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
		elif [ "$command" = decode ]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
		else
			_errpipe_program "$COMP_CWORD" "$word"
		fi
		;;
	esac
}

complete -F _errpipe errpipe
