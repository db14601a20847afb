/* SPDX-License-Identifier: MIT */
/*
 * docs/protocol.md as a model for Spin: one exec, by a child that goes through a stub or not, with all who can interfere.
 *
 *	child	of errpipe_spawn() or of a fork: may end in the caller's code, fail in each step, become the target
 *	killer	SIGKILL at any point of the child's life
 *	forger	may write a record or rubbish, as long as the child's descriptor is there
 *	leak	another fork of the parent: may keep a copy of the write end for ever
 *	reader	the parent (errpipe_wait, with or without errpipe_look before), or somebody else
 *
 * Claims, for every order of events:
 *
 *	no deadlock	who waits, waits for a target that runs; and with an end of file only if nobody keeps the write end
 *	started		STARTED: the process bears the target's name, so the exec was past its point of no return
 *	died		DIED: it never did. (A target that takes its stub's name on purpose is not in here.)
 *	record		a failure is told by a record that somebody has written, and the process is gone then
 *
 * MUTANT is one of the names below: the same with one rule of the protocol left out. prove.sh sees each of them fail.
 */
#define NO_END_RULE	1  /* the end of the child does not count as end of file */
#define TRUST_EOF	2  /* end of file is success */
#define FLAGS_ONLY	3  /* who has exec'd anything has started */
#define TRUST_STATUS	4  /* an exit status that no stub has proves the target, also of the caller's own code */
#define NO_KILL		5  /* who has written a record is not killed */
#define NOT_CLOEXEC	6  /* the stub leaves the descriptor open */
#define ANY_NAME	7  /* a name that others can have proves the stub */
#define NO_PATIENCE	8  /* the first look at a process in the midst of an exec counts */
#define OTHERS_PID	9  /* somebody else than the parent looks at the number, too */
#define LEAVE_SECOND	10 /* a second record behind the first is not seen */
#ifndef MUTANT
#define MUTANT 0
#endif

mtype = { STARTED, EXEC_FAILED, SETUP_FAILED, DIED, CLOSED, EPROTO };	/* verdicts, and the error */
mtype = { CALLER, STUB, TARGET };					/* names of the process */
mtype = { NONE, AS_STUB, OTHER, SIGNAL };				/* how it ended: 125 to 127, another status */
mtype = { EXEC, STEP, RUBBISH };					/* what is in the pipe */

chan pipe = [2] of { mtype };
mtype verdict, name = CALLER, status = NONE;
bool by_stub, unique, spawned, parent;	/* the case: each of them, or not */
bool fd = true, leaked = true, kept;		/* copies of the write end; the leak keeps it */
bool forknoexec = true, exec_begun;	/* as /proc/PID/stat and the library have it */
bool in_kernel, exiting, ended;		/* no signal acts; files are closed; can be waited for */
bool bears_name, twice;			/* for the claims: the target's exec is past its point; two records were written */

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

/* execve(2): it fails, or it kills, or it is done. Some kernels close files before they clear the flag, others after. */
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

/* The stub's exec leaves it open, as the stub needs it. */
inline close(who)
{
	fd = !(who == TARGET && !(by_stub && MUTANT == NOT_CLOEXEC))
}

proctype child()
{
	{
		/* The caller's code: it can end by itself, but in a child of errpipe_spawn() only as setup does. */
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
		:: end_with(SIGNAL)	/* so the kernel ends what it cannot load, too */
		:: true ->
end_forever:		false		/* it runs as long as nobody kills it */
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

/* It may keep the write end for ever, but for somebody else than the parent only end of file counts, and so it must come. */
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

/* Of a process that has ended, or is about to. */
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

/* Only a process in the midst of an exec has closed the pipe, does not exit, and has not exec'd yet. */
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
end_kept:	ended;	/* nobody learns anything before the target ends */
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
