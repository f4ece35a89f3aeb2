"""Makes hard links to one file without end.

Tries: to use up directory entries, which take no space and no inode of their own.
Must: be killed at its limit of disk: a tmpfs counts each link as an inode.

limits: disk=8Mi
expect: KILLED DISK
expect-gvisor: KILLED DISK or KILLED MEMORY or KILLED WALL_CLOCK
"""

import os

open("/tmp/one", "w").close()
number = 0
while True:
    number += 1
    try:
        os.link("/tmp/one", f"/tmp/{number}")
    except OSError:
        pass
