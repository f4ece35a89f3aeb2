"""Reads all of /proc that can be read, each file to its end, and looks for what is of others.

Tries: to find processes, secrets, containers and devices of the host or of neighbours, or a file that never ends.
Must: succeed: everything is about its own processes, or is what programs need of a machine.

limits: cpu=1 wallClock=60s
expect: SUCCEEDED
"""

import os
import re
import select

from lib.attempt import CANARY, OWN_KERNEL, check, finish

ALLOWED = set(
    "self thread-self mounts net sysvipc cgroups filesystems version cpuinfo loadavg meminfo stat uptime vmstat sys".split()
)
DEVICES = re.compile(rb"\b(?:nvme\d+n\d+|[sv]d[a-z]\d*|dm-\d+|mmcblk\d+)\b")
# The mount table names the container and the device of the image's file system (SECURITY.md).
OF_MOUNTS = ("mounts", "mountinfo", "mountstats")


def content(path):
    """The beginning of a file, as far as it can be read without waiting."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        waits = select.poll()
        waits.register(file, select.POLLIN)
        return os.read(file, 1 << 18) if waits.poll(50) else b""
    finally:
        os.close(file)


def belongs(path):
    first = path.split("/")[2]
    return first.isdigit() or first in ALLOWED


seen, looked, canaries, devices, told = 0, 0, [], [], set()
for folder, folders, files in os.walk("/proc"):
    folders[:] = [name for name in folders if name not in ("task", "fd", "fdinfo", "map_files", "cwd", "root")]
    for name in files:
        path = os.path.join(folder, name)
        if path.endswith("/mem") or path.endswith("/pagemap"):
            continue
        looked += 1
        try:
            found = content(path)
        except OSError:
            continue
        if not found:
            continue
        seen += 1
        if CANARY.search(found):
            canaries.append(path)
        if name not in OF_MOUNTS and DEVICES.search(found):
            devices.append(path)
        if not belongs(path):
            told.add(path)
check(f"of {looked} files {seen} say something, and none a secret of another {canaries[:3]}", seen > 20 and not canaries)
check(f"none names a disk {devices[:3]}", not devices or OWN_KERNEL)
check(f"none is beyond what SECURITY.md lists {sorted(told)[:3]}", not told or OWN_KERNEL)
others = [name for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
check(f"no process of another is there {others[:3]}", not others)
finish()
