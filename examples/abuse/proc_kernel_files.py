"""Opens what /proc tells of the kernel: its memory, its keys, its timers, its log, its symbols.

Tries: to read the kernel's memory or to learn its addresses.
Must: be refused, or find the files empty and the addresses zero.

expect: SUCCEEDED
"""

import errno
import os

from lib.attempt import attempt, check, finish, read



def told(path):
    content = read(path)
    if content == b"":
        raise PermissionError(errno.EACCES, "it is empty")
    return content


for name in ("kcore", "keys", "timer_list", "latency_stats", "sched_debug"):
    path = f"/proc/{name}"
    try:
        content = read(path)
    except OSError as error:
        attempt(path, lambda: read(path), errno.ENOENT, errno.EIO)
    else:
        check(f"{path} is empty", content == b"")
for name in ("kmsg", "kpagecount", "kpageflags", "kpagecgroup", "slabinfo", "vmallocinfo", "kallsyms"):
    path = f"/proc/{name}"
    if name == "kallsyms" and os.path.exists(path):
        lines = read(path).splitlines()[:100]
        check("addresses of kernel symbols are hidden", all(int(line.split()[0], 16) == 0 for line in lines))
    else:
        attempt(path, lambda: told(path), errno.ENOENT)
check("/proc/acpi and /proc/scsi are empty", not any(os.path.exists(path) and os.listdir(path) for path in ("/proc/acpi", "/proc/scsi")))
finish()
