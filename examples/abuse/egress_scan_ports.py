"""Tries every port of a host inside.

Tries: to learn what runs there.
Must: get no answer from any, and be a few events in the history.

limits: wallClock=60s egressRequests=100000
egress: public
expect: SUCCEEDED
"""

import errno
import select
import socket

from lib.attempt import check, finish
from lib.outside import INTERNAL, must_be_open

must_be_open()
answered = 0
for begin in range(1, 65536, 256):
    batch = []
    for port in range(begin, min(begin + 256, 65536)):
        sock = socket.socket()
        sock.setblocking(False)
        if sock.connect_ex((INTERNAL[0], port)) not in (errno.EINPROGRESS, errno.ENETUNREACH):
            answered += 1
        batch.append(sock)
    answered += len(select.select([], batch, [], 0)[1])
    for sock in batch:
        sock.close()
check("of 65,535 ports none answered", answered == 0)
finish()
