"""Writes to the switches of the kernel in /proc: core pattern, modprobe's path, sysrq, limits, interrupts.

Tries: to have the kernel run a program of its own outside (core_pattern, modprobe), or to halt the machine.
Must: be refused.

expect: SUCCEEDED
"""

import errno

from lib.attempt import attempt, finish, write

for name in ("kernel/core_pattern", "kernel/modprobe", "kernel/hostname", "kernel/panic", "kernel/sysrq", "kernel/ns_last_pid",
             "kernel/randomize_va_space", "kernel/yama/ptrace_scope", "kernel/shmmax", "vm/drop_caches", "vm/overcommit_memory",
             "fs/file-max", "fs/suid_dumpable", "net/ipv4/ip_forward", "user/max_user_namespaces"):
    attempt(f"/proc/sys/{name}", lambda: write(f"/proc/sys/{name}", b"1"), errno.ENOENT)
attempt("/proc/sysrq-trigger", lambda: write("/proc/sysrq-trigger", b"h"), errno.ENOENT)
attempt("/proc/irq/default_smp_affinity", lambda: write("/proc/irq/default_smp_affinity", b"1"), errno.ENOENT)
attempt("/proc/bus", lambda: write("/proc/bus/pci/devices", b"1"), errno.ENOENT)
attempt("/proc/mtrr", lambda: write("/proc/mtrr", b"1"), errno.ENOENT)
for name in ("uid_map", "gid_map", "setgroups", "loginuid", "attr/current", "attr/exec"):
    attempt(f"/proc/self/{name}", lambda: write(f"/proc/self/{name}", b"0 0 1"), errno.ENOENT, errno.EINVAL)
finish()
