"""Makes hard links to one file without end.

Tries: to use up directory entries, which take no space and no inode of their own.
Must: be killed at its limit of files, which counts each link.

limits: files=1024
expect: KILLED FILES
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
