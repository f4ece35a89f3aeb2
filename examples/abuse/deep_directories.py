"""Makes directories within directories, deeper than any path can name.

Tries: to make a tree that those who clean up cannot walk.
Must: be killed at its limit of disk, whose inodes end; the tree goes with the sandbox.

limits: disk=8Mi
expect: KILLED DISK
expect-gvisor: KILLED DISK or KILLED MEMORY or KILLED WALL_CLOCK
"""

import os

while True:
    try:
        os.mkdir("down")
        os.chdir("down")
    except OSError:
        pass
