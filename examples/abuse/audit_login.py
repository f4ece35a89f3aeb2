"""Chooses as whose its actions are in the machine's audit log.

Tries: to set the login that the kernel's audit has of a process, to root's and to another user's, before and after its own is set,
in children and threads, and to begin a session of audit anew.
Must: succeed: the login is the agent's own user and stays so, or there is none.

expect: SUCCEEDED
"""

import errno
import os
import threading

from lib.attempt import attempt, check, finish, write

UNSET = 4294967295


def login(of="self"):
    try:
        with open(f"/proc/{of}/loginuid") as file:
            return int(file.read())
    except OSError:
        return None


def try_all(where):
    for uid in (0, 1000, os.getuid() - 1, UNSET):
        attempt(f"the audit login {uid} {where}", lambda: write("/proc/self/loginuid", b"%d" % uid), errno.ENOENT)


check(f"the audit login is the agent's own ({login()})", login() in (None, os.getuid()))
try_all("at once")
child = os.fork()
if child == 0:
    try_all("in a child")
    os._exit(0 if login() in (None, os.getuid()) else 1)
check("a child has the same", os.waitpid(child, 0)[1] == 0)
thread = threading.Thread(target=try_all, args=("in a thread",))
thread.start()
thread.join()
attempt("the audit login of PID 1", lambda: write("/proc/1/loginuid", b"0"), errno.ENOENT)
check(f"the audit login is the agent's own still ({login()})", login() in (None, os.getuid()))
finish()
