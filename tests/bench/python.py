#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The helper for the Python rows: see helper.h. It does not grow."""
import ctypes
import os
import resource
import subprocess
import sys
import time

PR_SET_NO_NEW_PRIVS = 38
prctl = ctypes.CDLL(None).prctl


def change_process():
    """The changes of the setup in c.c."""
    os.chdir("/")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o022)
    os.setresgid(os.getgid(), os.getgid(), os.getgid())
    os.setresuid(os.getuid(), os.getuid(), os.getuid())
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


ROWS = {
    "subprocess": {},
    "preexec": {"preexec_fn": change_process},
    "user": {"user": os.getuid(), "group": os.getgid(), "umask": 0o022},
}


def start(row, path):
    try:
        return 0, subprocess.Popen([path], **ROWS[row]).wait()
    except OSError as error:
        return error.errno, -1


print("ready", flush=True)
for line in iter(sys.stdin.readline, ""):
    row, count, parallel, path = line.split()
    if row not in ROWS or parallel != "1":
        print("absent", flush=True)
        continue
    begun = time.monotonic_ns()
    for _ in range(int(count)):
        errno, status = start(row, path)
    print(time.monotonic_ns() - begun, errno, status, flush=True)
