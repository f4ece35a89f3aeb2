"""Makes system calls by the 32-bit gate (int 0x80) and as x32, whose numbers mean other calls.

Tries: to get calls past a filter that knows 64-bit numbers only.
Must: be killed for it (SIGSYS) or get ENOSYS; no call of either kind is made.

expect: SUCCEEDED
"""

import ctypes
import mmap
import os
import platform
import signal

from lib.attempt import check, finish, held

INT_80 = bytes.fromhex("53 b814000000 cd80 5b c3")  # getpid of 32-bit programs: eax=20
X32 = bytes.fromhex("b827000040 0f05 c3")  # getpid of x32 programs: eax=39|0x40000000


def outcome(code):
    """Runs the code in a child, which shows by its exit code whether the kernel answered with its pid."""
    child = os.fork()
    if child == 0:
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(code)
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        os._exit(66 if ctypes.CFUNCTYPE(ctypes.c_int)(address)() == os.getpid() else 0)
    status = os.waitpid(child, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


if platform.machine() == "x86_64":
    # The page runs code: else what follows would prove nothing.
    assert outcome(bytes.fromhex("b827000000 0f05 c3")) == 66
    for name, code in (("int 0x80", INT_80), ("x32", X32)):
        result = outcome(code)
        check(f"{name} came to {result}", result in (-signal.SIGSYS, -signal.SIGSEGV, 0))
else:
    held("this processor has neither")
finish()
