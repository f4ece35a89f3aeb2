"""Looks through /proc for processes that are not its own, and for what others' leave in it.

Tries: to find the neighbour, its secret and the node.
Must: see itself and PID 1, which shows nothing.

expect: SUCCEEDED
"""

import os

from lib.attempt import CANARY, OWN_KERNEL, check, finish, look_into_guest, read

pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
check(f"processes are {pids}", pids == [1, os.getpid()])
look_into_guest("environ")
# An unlisted pid may still answer by number. In the sandbox's own kernel pids start from 1, and queries take longer.
answering = [pid for pid in range(2, 3_000 if OWN_KERNEL else 70_000) if pid != os.getpid() and os.path.exists(f"/proc/{pid}")]
check(f"no other number answers but {answering}", not answering)
seen = b"".join(read(path) for path in ("/proc/self/environ", "/proc/self/mountinfo", "/proc/self/cmdline"))
check("no secret of others is in what it can read", not CANARY.search(seen))
finish()
