"""Raises its own limits and priorities: rlimits, nice, real-time scheduling, input and output priority, affinity.

Tries: to get more of the machine than its share, or precedence over all others.
Must: be refused.

expect: SUCCEEDED
"""

import ctypes
import os
import resource

from lib.attempt import OWN_KERNEL, attempt, call, check, finish

for name in ("NOFILE", "CORE", "MEMLOCK", "NPROC", "NICE", "RTPRIO", "MSGQUEUE", "SIGPENDING"):
    kind = getattr(resource, f"RLIMIT_{name}", None)
    hard = resource.getrlimit(kind)[1] if kind is not None else resource.RLIM_INFINITY
    if hard != resource.RLIM_INFINITY:

        def raise_limit():
            try:
                resource.setrlimit(kind, (hard + 1, hard + 1))
            except ValueError as refused:
                raise PermissionError(1, str(refused)) from refused
            if resource.getrlimit(kind)[1] <= hard:  # of core files the call does nothing, so that programs go on
                raise PermissionError(1, "it stays as it was")

        attempt(f"{name} above {hard}", raise_limit)
if not OWN_KERNEL:  # which takes the number, and gives nothing for it
    attempt("nice -1", lambda: os.nice(-1))
    attempt("nice -20 for all its processes", lambda: os.setpriority(os.PRIO_USER, 0, -20))
attempt("SCHED_FIFO", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)))
attempt("SCHED_RR", lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(99)))
deadline = (ctypes.c_uint64 * 6)(48 | 6 << 32, 0, 0, 10_000_000, 20_000_000, 20_000_000)
attempt("SCHED_DEADLINE", lambda: call("sched_setattr", 0, deadline, 0))
attempt("real-time input and output", lambda: call("ioprio_set", 1, 0, 1 << 13))
check("it has all of its limits before it raises any", resource.getrlimit(resource.RLIMIT_CORE) == (1, 1))
finish()
