"""Crashes with a large memory, in many processes.

Tries: to have the kernel write huge core files, or run the host's core handler on its memory.
Must: succeed: its limit for core files is zero and cannot be raised; no core file is anywhere.

expect: SUCCEEDED
"""

import os
import resource
import signal

from lib.attempt import check, finish

try:
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    raised = True
except (ValueError, PermissionError):
    raised = False
check("the limit for core files stays zero", not raised and resource.getrlimit(resource.RLIMIT_CORE) == (0, 0))
for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT, signal.SIGBUS):
    child = os.fork()
    if child == 0:
        hoard = bytearray(b"x") * (8 << 20)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    check(f"signal {number} ended it without a core", os.WTERMSIG(status) == number and not os.WCOREDUMP(status))
check("there is no core file", not [name for name in os.listdir("/workspace") + os.listdir("/tmp") if name.split(".")[0] == "core"])
finish()
