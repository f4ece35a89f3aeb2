"""Opens connections and holds them, as many as it can.

Tries: to fill the table of connections that all share.
Must: be killed at its limit of connections, without an effect on others.

limits: egressRequests=2000
egress: public
expect: KILLED EGRESS_REQUESTS
"""

import socket

from lib.outside import PUBLIC, must_be_open

must_be_open()
held = []
while True:
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex((PUBLIC, 80))
    held.append(sock)
    if len(held) == 1000:
        held = held[500:]
