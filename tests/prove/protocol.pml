/* SPDX-License-Identifier: MIT */
/*
 * docs/protocol.md as a model for Spin: one exec by a child, through a stub or directly, and every process that can interfere.
 *
 *	child	of errpipe_spawn() or of a fork: may end in the caller's code, fail in any step, or become the target
 *	killer	may send SIGKILL at any point of the child's life
 *	forger	may write a record or rubbish while the child's descriptor is open
 *	leak	another fork of the parent: may keep a copy of the write end for ever
 *	reader	the parent (errpipe_wait, with or without errpipe_look before), or another process
 *
 * These claims hold for every order of events:
 *
 *	no deadlock	a reader that waits, waits for a running target; at end of file only if no process keeps the write end
 *	started		STARTED: the process has the target's name, so the exec was past its point of no return
 *	died		DIED: it never had. (The model excludes a target that takes its stub's name on purpose.)
 *	record		a failure is reported only after a process wrote a record, and the child has ended by then
 *
 * MUTANT is one of the names below. Each leaves out one rule of the protocol, and tests/shell/protocol.sh checks that a claim
 * then fails.
 */
#define NO_END_RULE	1  /* the end of the child does not count as end of file */
#define TRUST_EOF	2  /* end of file is success */
#define FLAGS_ONLY	3  /* a process that has exec'd anything has started */
#define TRUST_STATUS	4  /* an exit status that no stub has proves the target, even in the caller's own code */
#define NO_KILL		5  /* a child whose record was read is not killed */
#define NOT_CLOEXEC	6  /* the stub leaves the descriptor open */
#define ANY_NAME	7  /* a name that other processes can have proves the stub */
#define NO_PATIENCE	8  /* the first look at a process in the middle of an exec counts */
#define OTHERS_PID	9  /* a process other than the parent also looks at the pid */
#define LEAVE_SECOND	10 /* a second record after the first is ignored */
#ifndef MUTANT
#define MUTANT 0
#endif

mtype = { STARTED, EXEC_FAILED, SETUP_FAILED, DIED, CLOSED, EPROTO };	/* verdicts, and the error */
mtype = { CALLER, STUB, TARGET };					/* names of the process */
mtype = { NONE, AS_STUB, OTHER, SIGNAL };				/* the end: status 125 to 127, another status, a signal */
mtype = { EXEC, STEP, RUBBISH };					/* the content of the pipe */

chan pipe = [2] of { mtype };
mtype verdict, name = CALLER, status = NONE;
bool by_stub, unique, spawned, parent;	/* the case: every combination of these */
bool fd = true, leaked = true, kept;		/* copies of the write end; the leak keeps its copy */
bool forknoexec = true, exec_begun;	/* known from /proc/PID/stat; known to the library */
bool in_kernel, exiting, ended;		/* signals have no effect; files are being closed; can be waited for */
bool bears_name, twice;			/* for the claims: the target's exec passed its point; two records were written */

#define eof (!fd && !leaked)

#define failed (verdict == EXEC_FAILED || verdict == SETUP_FAILED || verdict == EPROTO)

inline end_with(how)
{
	atomic { status = (exiting -> status : how); exiting = true }
}

inline write(what)
{
	atomic { twice = twice || nempty(pipe); pipe!what }
}

/* execve(2) fails, kills the process, or succeeds. Some kernels close files before they clear the flag, others after. */
inline exec(who, step)
{
	if
	:: write(step); end_with(AS_STUB)
	:: atomic { !exiting -> in_kernel = true };
		if
		:: atomic { in_kernel = false; end_with(SIGNAL) }
		:: forknoexec = false; close(who)
		:: close(who); forknoexec = false
		fi;
		atomic {
			name = (who == TARGET && by_stub && !unique -> STUB : who);
			bears_name = (who == TARGET);
			in_kernel = false
		}
	fi
}

/* The stub's exec leaves the descriptor open, because the stub needs it. */
inline close(who)
{
	fd = !(who == TARGET && !(by_stub && MUTANT == NOT_CLOEXEC))
}

proctype child()
{
	{
		/* The caller's code can end the process, but in a child of errpipe_spawn() only like a failed setup. */
		if
		:: true
		:: write(STEP); end_with(AS_STUB)
		:: end_with(AS_STUB)
		:: end_with(OTHER)
		fi;
		exec_begun = spawned;
		if
		:: by_stub -> exec(STUB, STEP)
		:: !by_stub
		fi;
		if
		:: by_stub -> write(STEP); end_with(AS_STUB) /* fcntl was refused */
		:: true
		fi;
		exec(TARGET, EXEC);
		if
		:: end_with(AS_STUB)
		:: end_with(OTHER)
		:: end_with(SIGNAL)	/* the kernel also ends a program that it cannot load this way */
		:: true ->
end_forever:		false		/* it runs until it is killed */
		fi
	} unless { exiting };
	fd = false;
	ended = true
}

proctype killer()
{
	if
	:: atomic { !in_kernel -> end_with(SIGNAL) }
	:: true
	fi
}

proctype forger()
{
	if
	:: atomic { fd -> write(EXEC) }
	:: atomic { fd -> write(RUBBISH) }
	:: true
	fi
}

/* It may keep the write end for ever. But other readers than the parent rely on end of file, so there it closes its copy. */
proctype leak()
{
	if
	:: parent -> kept = true
	:: leaked = false
	fi
}

inline take()
{
	mtype what;

	pipe?what;
	if
	:: len(pipe) > 0 && MUTANT != LEAVE_SECOND -> verdict = EPROTO
	:: len(pipe) == 0 || MUTANT == LEAVE_SECOND ->
		if
		:: what == EXEC -> verdict = EXEC_FAILED
		:: what == STEP -> verdict = SETUP_FAILED
		:: what == RUBBISH -> verdict = EPROTO
		fi
	fi
}

/* Judge a process that has ended or is exiting. */
inline judge()
{
	if
	:: MUTANT == TRUST_EOF
	:: else ->
		if
		:: ended && status == OTHER && (exec_begun || MUTANT == TRUST_STATUS)
		:: else ->
			if
			:: forknoexec -> verdict = DIED
			:: !forknoexec && by_stub && name == STUB && MUTANT != FLAGS_ONLY &&
			   !(ended && status == OTHER) ->
				verdict = (unique || MUTANT == ANY_NAME -> DIED : CLOSED)
			:: else
			fi
		fi
	fi
}

/* Only a process in the middle of an exec has closed the pipe, is not exiting, and has not exec'd yet. */
inline look()
{
	if
	:: atomic { exiting -> judge() }
	:: !forknoexec
	:: MUTANT == NO_PATIENCE && forknoexec -> verdict = DIED
	fi
}

proctype reader()
{
reading:
	if
	:: atomic { nempty(pipe) -> take() }
	:: atomic { empty(pipe) && eof -> verdict = STARTED }
	:: atomic { empty(pipe) && parent && ended && MUTANT != NO_END_RULE -> verdict = STARTED }
	:: kept && bears_name && !ended ->
end_kept:	ended;	/* the reader learns nothing before the target ends */
		goto reading
	fi;

	if
	:: !parent && verdict == STARTED -> verdict = (MUTANT == OTHERS_PID -> STARTED : CLOSED)
	:: parent && failed ->
		if
		:: MUTANT != NO_KILL -> atomic { !in_kernel -> end_with(SIGNAL) }
		:: else
		fi;
		ended
	:: parent && verdict == STARTED ->
		if
		:: look()
		:: true
		fi;
end_waiting:	ended;
		if
		:: verdict == STARTED -> judge()
		:: else
		fi
	:: else
	fi;

	assert(verdict != STARTED || bears_name);
	assert(verdict != DIED || !bears_name);
	assert(!(failed && parent) || ended);
	assert(!twice || verdict == EPROTO)
}

inline either(what)
{
	if
	:: what = true
	:: what = false
	fi
}

init
{
	atomic {
		either(by_stub); either(unique); either(spawned); either(parent);
		run child(); run killer(); run forger(); run leak(); run reader()
	}
}
