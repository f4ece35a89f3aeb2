"""Fills socket pairs and reads none of them.

Tries: to take memory that is no process's, in the queues of sockets.
Must: be killed at its limit of memory, which the kernel's own counts to.

limits: memory=32Mi disk=16Mi
expect: KILLED MEMORY
"""

import os
import socket
import time


def fill():
    hoard = []
    try:
        while True:
            pair = socket.socketpair()
            hoard.append(pair)
            for end in pair:
                end.setblocking(False)
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
                try:
                    while True:
                        end.send(bytes(1 << 16))
                except BlockingIOError:
                    pass
    except OSError:
        time.sleep(60)


for _ in range(16):
    if os.fork() == 0:
        fill()
fill()
