"""Has the kernel merge its memory with equal pages of others, to see by the time of a write who has them.

Tries: to mark memory as mergeable, page by page and for the whole process, with arguments of which the kernel ignores a part.
Must: succeed: each is refused, and no page of this process is merged.

expect: SUCCEEDED
"""

import ctypes
import errno
import mmap
import os

from lib.attempt import LIBC, OWN_KERNEL, attempt, check, finish, read

MERGEABLE, SET_MEMORY_MERGE = 12, 67
page = mmap.mmap(-1, 1 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
page.write(bytes(1 << 20))


def made(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def advise(advice):
    return made(LIBC.syscall(ctypes.c_long(28 if os.uname().machine == "x86_64" else 233), ctypes.c_ulong(address), ctypes.c_ulong(1 << 20), ctypes.c_ulong(advice)))


def control(option, value):
    return made(LIBC.syscall(ctypes.c_long(157 if os.uname().machine == "x86_64" else 167), ctypes.c_ulong(option), ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)))


for high in (0, 1 << 32, 0xFFFFFFFF << 32):
    attempt(f"merging a page, with {high >> 32:x} above it", lambda: advise(high | MERGEABLE), errno.EINVAL)
    attempt(f"merging everything, with {high >> 32:x} above it", lambda: control(high | SET_MEMORY_MERGE, 1), errno.EINVAL)
attempt("merging a page of a process by its descriptor", lambda: made(LIBC.syscall(ctypes.c_long(440), os.pidfd_open(os.getpid()), 0, 0, MERGEABLE, 0)), errno.EINVAL, errno.EBADF)
try:
    merged = b"ksm_merge_any: yes" in read("/proc/self/ksm_stat")
except OSError:
    merged = False
check("no page of this process is merged", OWN_KERNEL or not merged)
for advice in (4, 8, 14, 16, 17, 18, 20):  # what allocators and runtimes ask for
    check(f"advice {advice} is taken", OWN_KERNEL or advise(advice) == 0)
finish()
