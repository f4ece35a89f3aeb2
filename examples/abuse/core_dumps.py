"""Crashes with a large memory, in many processes.

Tries: to have the kernel write huge core files, or run the host's core handler on its memory: a limit of 0 keeps it from the
first only, where the host's core_pattern is a pipe.
Must: succeed: its limit for core files is 1, at which the kernel does neither, and can be neither raised nor lowered.

expect: SUCCEEDED
"""

import os
import resource
import signal

from lib.attempt import OWN_KERNEL, check, finish

limits = [(resource.RLIM_INFINITY, resource.RLIM_INFINITY), (1 << 20, 1 << 20)]
for limit in limits if OWN_KERNEL else [*limits, (0, 0), (0, 1)]:
    for change in (lambda: resource.setrlimit(resource.RLIMIT_CORE, limit), lambda: resource.prlimit(os.getpid(), resource.RLIMIT_CORE, limit)):
        try:
            change()
        except (ValueError, PermissionError):
            pass
check(f"the limit for core files stays 1: {resource.getrlimit(resource.RLIMIT_CORE)}", resource.getrlimit(resource.RLIMIT_CORE) == (1, 1))
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
