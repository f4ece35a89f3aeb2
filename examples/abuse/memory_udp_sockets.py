"""Sends datagrams to its own sockets on the loopback, and never reads them.

Tries: to take memory that is no process's, in queues that some control groups do not count.
Must: be killed at its limit of memory, which the kernel's own counts to.

limits: memory=32Mi disk=16Mi
expect: KILLED MEMORY
"""

import os
import socket
import time


def fill():
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    hoard = []
    try:
        while True:
            receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            receiver.bind(("127.0.0.1", 0))
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            hoard.append(receiver)
            for _ in range(16):
                sender.sendto(bytes(60_000), receiver.getsockname())
    except OSError:
        time.sleep(60)


for _ in range(16):
    if os.fork() == 0:
        fill()
fill()
