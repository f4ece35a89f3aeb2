"""Opens terminals of its own, fills them and never reads, while its output is full.

Tries: to stop the guest in a write that never ends.
Must: be killed at its deadline, on time.

limits: wallClock=2s output=10Mi
expect: KILLED WALL_CLOCK
"""

import os
import pty
import time

for _ in range(8):
    controller, terminal = pty.openpty()
    os.set_blocking(terminal, False)
    try:
        while True:
            os.write(terminal, bytes(4096))
    except BlockingIOError:
        pass
reader, writer = os.pipe()
os.dup2(writer, 2)
os.set_blocking(1, False)
written = 0
while written < 4 << 20:
    try:
        written += os.write(1, b"x" * 65536)
    except BlockingIOError:
        pass
while True:
    time.sleep(0.01)
