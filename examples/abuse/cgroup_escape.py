"""Looks for control groups that it can write: limits, members, and the release agent that the kernel runs as root.

Tries: the way out by release_agent and notify_on_release (CVE-2022-0492), and to lift its own limits.
Must: be refused: the hierarchy is read-only, belongs to root, and cannot be mounted again.

expect: SUCCEEDED
"""

import errno
import glob
import os

from lib.attempt import OWN_KERNEL, attempt, call, check, finish, write

KNOBS = ("release_agent", "notify_on_release", "cgroup.procs", "tasks", "memory.limit_in_bytes", "memory.max", "memory.oom_control",
         "pids.max", "cpu.cfs_quota_us", "cpu.max", "devices.allow", "cgroup.subtree_control", "freezer.state", "cgroup.freeze")
tried = 0
for folder in ["/sys/fs/cgroup", *glob.glob("/sys/fs/cgroup/*/")]:
    for knob in KNOBS:
        path = os.path.join(folder, knob)
        if os.path.exists(path):
            tried += 1
            attempt(f"writing {path}", lambda: write(path, b"1"))
    attempt(f"a group in {folder}", lambda: os.mkdir(os.path.join(folder, "mine")), errno.ENOENT)
check(f"{tried} knobs were there to try", tried > 0 or not os.path.exists("/sys/fs/cgroup/memory"))
for controller in ("memory", "rdma", "devices", "misc"):
    attempt(f"mounting the {controller} hierarchy", lambda: call("mount", b"cgroup", b"/tmp", b"cgroup", 0, controller.encode()))
with open("/proc/self/cgroup") as groups:
    paths = {line.strip().split(":", 2)[2] for line in groups}
check(f"its groups are called / from inside: {paths}", paths == {"/"} or (OWN_KERNEL and not paths))
finish()
