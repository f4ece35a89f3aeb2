"""Writes to everything in /sys that can be opened for it, and to the switches that are known to be dangerous.

Tries: to have the kernel run a helper of its own (uevent_helper), to take devices away, to burn hardware.
Must: be refused: /sys is read-only.

expect: SUCCEEDED
"""

import errno
import os

from lib.attempt import attempt, check, finish, is_hidden, write

for name in ("kernel/uevent_helper", "kernel/uevent_seqnum", "power/state", "kernel/mm/transparent_hugepage/enabled",
             "module/nf_conntrack/parameters/hashsize", "bus/pci/rescan", "kernel/debug/x", "kernel/security/x", "fs/cgroup/x"):
    attempt(f"/sys/{name}", lambda: write(f"/sys/{name}", b"1"), errno.ENOENT)
opened, looked = [], 0
for folder, _, files in os.walk("/sys"):
    for name in files:
        path = os.path.join(folder, name)
        looked += 1
        try:
            os.close(os.open(path, os.O_WRONLY))
            if not is_hidden(path):
                opened.append(path)
        except OSError:
            pass
    if looked > 20_000:
        break
check(f"of {looked} files none opened for writing but {opened[:3]}", not opened)
attempt("/sys/firmware", lambda: [os.listdir("/sys/firmware")[0]] if os.listdir("/sys/firmware") else write("/sys/firmware/x", b"1"), errno.ENOENT)
finish()
