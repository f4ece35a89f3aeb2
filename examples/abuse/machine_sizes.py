"""Looks everywhere for how large the machine is: calls, settings that the kernel derives from its memory, counters.

Tries: to tell by its memory, processors and load which machine it is on, and what neighbours do.
Must: succeed: what it finds are its own limits.

limits: cpu=500m memory=128Mi
expect: SUCCEEDED
"""

import ctypes
import os
import struct
import subprocess

from lib.attempt import OWN_KERNEL, check, finish, shown

DERIVED = """fs/file-max fs/epoll/max_user_watches fs/fanotify/max_user_marks fs/inotify/max_user_watches fs/quota/syncs kernel/tainted
kernel/threads-max kernel/watchdog_cpumask net/ipv4/tcp_ehash_entries net/netfilter/nf_conntrack_max user/max_user_namespaces
vm/min_free_kbytes vm/user_reserve_kbytes""".split()
LIMIT = 128 << 20

for name in DERIVED:
    what = shown("/proc/sys/" + name)
    check(f"{name} tells nothing ({what[:20]})", not what or OWN_KERNEL)
for name in ("cpuidle", "cpufreq", "microcode", "vulnerabilities", "smt"):
    what = shown("/sys/devices/system/cpu/" + name)
    check(f"{name} of the processors tells nothing ({what[:3]})", not what)
words = ctypes.create_string_buffer(512)
check("sysinfo answers", ctypes.CDLL(None).sysinfo(words) == 0)
up, *loads, total, free = struct.unpack_from("q3QQQ", words)
processes = struct.unpack_from("H", words, 80)[0]
check(f"memory is its own: {total}", total == LIMIT or OWN_KERNEL and total < 8 * LIMIT)
check(f"the load and the processes are no neighbour's: {loads}, {processes}", OWN_KERNEL or (loads, processes) == ([0, 0, 0], 1))
seen = [len(os.sched_getaffinity(0)), int(subprocess.run(["nproc"], capture_output=True).stdout), os.cpu_count()]
check(f"half a processor is one: {seen}", seen == [1, 1, 1] or OWN_KERNEL)
finish()
