"""Looks through /proc for processes that are not its own, and for what others' leave in it.

Tries: to find the neighbour, its secret and the node.
Must: see itself and PID 1, which shows nothing.

expect: SUCCEEDED
"""

import os
import re

from lib.attempt import attempt, check, finish, read

# Written so that this file itself does not hold what it looks for.
CANARY = re.compile(rb"canary" + rb"-[0-9a-f]{32}")
pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
check(f"processes are {pids}", pids == [1, os.getpid()])
attempt("the environment of PID 1", lambda: read("/proc/1/environ"))
# A pid that is not listed may still answer by number.
answering = [pid for pid in range(2, 70_000) if pid != os.getpid() and os.path.exists(f"/proc/{pid}")]
check(f"no other number answers but {answering}", not answering)
seen = b"".join(read(path) for path in ("/proc/self/environ", "/proc/self/mountinfo", "/proc/self/cmdline"))
check("no secret of others is in what it can read", not CANARY.search(seen))
finish()
