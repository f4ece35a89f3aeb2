"""Sends with addresses that are not its own, as far as a program without rights can.

Tries: to be taken for another host.
Must: send nothing that arrives: the suite checks what its hosts received.

egress: public
expect: SUCCEEDED
"""

import socket

from lib.attempt import finish
from lib.outside import INTERNAL, NODE, PUBLIC, all_closed, must_be_open, udp

must_be_open()
IP_FREEBIND, IP_TRANSPARENT = 15, 19


def claiming(address, option):
    def prepare(sock):
        sock.setsockopt(socket.IPPROTO_IP, option, 1)
        sock.bind((address, 0))

    return prepare


all_closed(
    (f"as {a}, {name}", lambda a=a, o=option: udp(PUBLIC, 123, b"TRESPASS", claiming(a, o)))
    for a in (*INTERNAL[:3], *NODE[:2], "198.18.0.77")
    for name, option in (("bound freely", IP_FREEBIND), ("transparently", IP_TRANSPARENT))
)
finish()
