"""Reads all of /sys that can be read, and looks for what is of the machine.

Tries: to find disks, devices, serial numbers, firmware and control groups of others, or a file that never ends.
Must: succeed: what can be read is about processors, memory and its own network and groups.

limits: cpu=1 wallClock=60s
expect: SUCCEEDED
"""

import os
import re

from lib.attempt import CANARY, OWN_KERNEL, check, finish

ALLOWED = ("/sys/class/net", "/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/devices/virtual/net", "/sys/fs/cgroup")
CONTAINER = re.compile(r"[0-9a-f]{64}")

looked, told, canaries, groups = 0, [], [], []
for folder, folders, files in os.walk("/sys"):
    groups += [name for name in folders if CONTAINER.fullmatch(name)]
    for name in files:
        path = os.path.join(folder, name)
        looked += 1
        try:
            file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            found = os.read(file, 1 << 16)
        except OSError:
            found = b""
        os.close(file)
        if found and not path.startswith(ALLOWED):
            told.append(path)
        if CANARY.search(found):
            canaries.append(path)
check(f"of {looked} files none is beyond what SECURITY.md lists {told[:3]}", not told or OWN_KERNEL)
check(f"none has a secret of another {canaries[:3]}", not canaries)
check(f"no control group of another is there {groups[:3]}", not groups)
finish()
