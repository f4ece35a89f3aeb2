"""Sends datagrams as fast as it can, inside and to the resolver.

Tries: to overwhelm the node, its resolver or its packet filter.
Must: affect only itself: its neighbour still has names and connections.

egress: public
expect: SUCCEEDED
"""

import socket
import time

from lib.attempt import check, finish
from lib.outside import INTERNAL, PUBLIC, must_be_open, resolver, tcp

must_be_open()
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setblocking(False)
end = time.monotonic() + 5
while time.monotonic() < end:
    for place in ((INTERNAL[0], 123), (resolver(), 53), (INTERNAL[1], 80)):
        try:
            sock.sendto(b"x" * 1000, place)
        except OSError:
            pass
check("its own way is open still", tcp(PUBLIC, 80) == b"reached\n")
finish()
