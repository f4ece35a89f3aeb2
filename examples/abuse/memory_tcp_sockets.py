"""Connects to itself over TCP on the loopback again and again, fills each connection and reads none.

Tries: to take memory that is no process's, in buffers that some control groups do not count.
Must: be killed at its limit of memory, which the kernel's own counts to.

limits: memory=32Mi disk=16Mi
expect: KILLED MEMORY
"""

import os
import socket
import time


def fill():
    server = socket.create_server(("127.0.0.1", 0), backlog=1024)
    hoard = []
    try:
        while True:
            client = socket.create_connection(server.getsockname())
            peer, _ = server.accept()
            hoard.append((client, peer))
            for end in (client, peer):
                end.setblocking(False)
                try:
                    while True:
                        end.send(bytes(1 << 18))
                except BlockingIOError:
                    pass
    except OSError:
        time.sleep(60)


for _ in range(16):
    if os.fork() == 0:
        fill()
fill()
