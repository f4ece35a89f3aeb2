"""Makes directories within directories, deeper than any path can name.

Tries: to make a tree that a clean-up cannot walk.
Must: be killed at its limit of files, which counts folders; the tree goes with the sandbox.

limits: files=1024
expect: KILLED FILES
expect-gvisor: KILLED FILES or KILLED MEMORY or KILLED WALL_CLOCK
"""

import os

while True:
    try:
        os.mkdir("down")
        os.chdir("down")
    except OSError:
        pass
