"""Reads its mount table, for the machine's folders, disks and sizes.

Tries: to learn from mountinfo, mounts, mountstats and statfs where the node keeps sandboxes and images, on which disk and file
system, how full that is, and how much memory the machine has.
Must: succeed: each line is about a file system of the sandbox's own, or the launcher's small one.

expect: SUCCEEDED
"""

import os

from lib.attempt import OWN_KERNEL, check, finish, read

KINDS = {"overlay", "proc", "tmpfs", "devpts", "mqueue", "sysfs", "cgroup", "cgroup2", "9p", "gofer", "none"}
for line in read("/proc/self/mountinfo", 1 << 20).decode().splitlines():
    before, _, after = line.partition(" - ")
    root, place = before.split()[3:5]
    kind, source, options = after.split(" ", 2)
    check(f"{place} is of a kind of its own ({kind})", kind in KINDS)
    check(f"{place} has no source on the machine ({source})", "/" not in source)
    check(f"{place} names no folder of the machine ({options[:60]})", "/" not in options.replace("aname=/,", ""))
    own = root == "/" or root == "/null" or root[27:] == "/null" or root.startswith("/own-", 27) or kind in ("proc", "cgroup", "cgroup2")
    check(f"{place} is no part of a larger file system ({root})", own)
memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
for folder in ("/", "/etc", "/usr", "/etc/passwd", "/etc/hosts", "/tmp", "/workspace", "/dev", "/dev/shm", "/proc/meminfo", "/proc/cmdline"):
    try:
        size = os.statvfs(folder)
    except OSError:
        continue
    bytes_there = size.f_blocks * size.f_frsize
    check(f"{folder} does not tell the machine's memory or disk ({bytes_there >> 20} MiB)", bytes_there <= 1 << 30 or OWN_KERNEL)
finish()
