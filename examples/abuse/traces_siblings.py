"""Traces a child of its own, by attaching to it and by PTRACE_TRACEME.

Tries: to reach the kernel's tracer, where many ways out of containers began.
Must: be refused: no agent needs it, and the filter leaves it out.

expect: SUCCEEDED
"""

import os
import signal
import time

from lib.attempt import attempt, call, finish

child = os.fork()
if child == 0:
    time.sleep(30)
    os._exit(0)
attempt("PTRACE_ATTACH to a child", lambda: call("ptrace", 16, child, 0, 0))
attempt("PTRACE_SEIZE of a child", lambda: call("ptrace", 0x4206, child, 0, 0))
attempt("PTRACE_TRACEME", lambda: call("ptrace", 0, 0, 0, 0))
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
finish()
