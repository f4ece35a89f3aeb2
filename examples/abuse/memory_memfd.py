"""Takes memory through memfd files that have no name anywhere.

Tries: to store in files that no file system's size limits.
Must: be killed at its limit of memory.

limits: disk=64Mi
expect: KILLED MEMORY
"""

import os
import time

hoard = []
while True:
    try:
        descriptor = os.memfd_create("hoard")
        hoard.append(descriptor)
        os.write(descriptor, bytes(1 << 20))
    except OSError:
        time.sleep(0.05)
