"""Floods both of its streams from several processes, as fast as they are read.

Tries: to fill the store of outputs, and the node's memory on the way.
Must: be killed at its limit of output.

limits: output=1Mi
expect: KILLED OUTPUT
"""

import os

os.fork()
os.fork()
while True:
    os.write(1, b"flood\n" * 10_000)
    os.write(2, b"flood\n" * 10_000)
