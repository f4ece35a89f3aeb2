"""Sends to loopback addresses through the link, where they would be those of the node.

Tries: to reach what listens on the loopback of the node.
Must: get no answer.

egress: public
expect: SUCCEEDED
"""

import socket

from lib.attempt import finish
from lib.outside import all_closed, must_be_open, tcp, udp

must_be_open()


def by_link(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")


tries = [(f"tcp {a}:{p}", lambda a=a, p=p: tcp(a, p, prepare=by_link)) for a in ("127.0.0.1", "127.9.9.9") for p in (22, 80, 8080, 2375)]
all_closed(tries + [(f"udp {a}:53", lambda a=a: udp(a, 53, prepare=by_link)) for a in ("127.0.0.1", "127.0.0.53")])
finish()
