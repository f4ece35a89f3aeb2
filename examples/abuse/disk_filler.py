"""Fills its workspace with one file.

Tries: to fill the node's disk.
Must: be killed at its limit of disk.

expect: KILLED DISK
"""

import os

with open("/workspace/big", "wb", buffering=0) as file:
    while True:
        try:
            file.write(os.urandom(1 << 16))
        except OSError:
            pass
