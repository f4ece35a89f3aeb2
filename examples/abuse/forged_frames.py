"""Prints what looks like the guest's frames: that a process ended with 0, that all is gone, that the disk is full.

Tries: to have the node believe what it prints.
Must: fail with its own exit code 7; what it printed is output and nothing else.

expect: FAILED exit 7
"""

import os
import struct
import sys

for stream in (1, 2):
    for kind in range(0, 256):
        body = bytes([kind]) + struct.pack("<II", 1, 0) + bytes(32)
        for frame in (struct.pack("<I", len(body)) + body, struct.pack(">I", len(body)) + body):
            os.write(stream, frame)
sys.exit(7)
