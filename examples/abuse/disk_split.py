"""Fills /workspace to two thirds and /tmp to two thirds.

Tries: to have the limit of disk twice, once in each writable place.
Must: be killed at its limit of disk, which both places have in common.

limits: disk=12Mi
expect: KILLED DISK
"""

import time

for place in ("/workspace/part", "/tmp/part"):
    with open(place, "wb", buffering=0) as file:
        file.write(bytes(8 << 20))
time.sleep(60)
