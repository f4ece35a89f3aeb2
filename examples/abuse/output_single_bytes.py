"""Prints single bytes, each with a system call of its own, on both streams in turn.

Tries: to have the node pay for each byte with a frame, an event and a row.
Must: be killed at its limit of output, and the neighbour does not notice.

limits: output=64Ki
expect: KILLED OUTPUT
expect-gvisor: KILLED OUTPUT or KILLED WALL_CLOCK
"""

import os

while True:
    os.write(1, b".")
    os.write(2, b".")
