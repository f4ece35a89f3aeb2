"""Sends every signal there is to PID 1, by number, by queue, by thread and by process descriptor.

Tries: to kill, stop or confuse the guest.
Must: be refused each time.

expect: SUCCEEDED
"""

import os
import signal

from lib.attempt import LIBC, attempt, call, finish, prepare


def thread_kill(number):
    if LIBC.syscall(234 if os.uname().machine == "x86_64" else 131, 1, 1, number) < 0:
        import ctypes

        raise OSError(ctypes.get_errno(), "tgkill")


for number in (0, signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGSEGV, 40, 64):
    attempt(f"kill(1, {number})", lambda: os.kill(1, number))
    attempt(f"tgkill(1, 1, {number})", lambda: thread_kill(number))
descriptor = prepare(lambda: call("pidfd_open", 1, 0), -1)
attempt("pidfd_send_signal(1, SIGKILL)", lambda: signal.pidfd_send_signal(descriptor, signal.SIGKILL))
attempt("pidfd_getfd(1, stdin)", lambda: call("pidfd_getfd", descriptor, 0, 0))
finish()
