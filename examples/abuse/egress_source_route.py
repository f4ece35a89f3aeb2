"""Asks routers to lead its packets inside, by the options of IP.

Tries: to have a packet for the internet delivered inside.
Must: send nothing that arrives inside.

egress: public
expect: SUCCEEDED
"""

import socket

from lib.attempt import finish
from lib.outside import INTERNAL, PUBLIC, all_closed, must_be_open, udp

must_be_open()


def led(kind, address):
    def prepare(sock):
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([kind, 7, 4]) + socket.inet_aton(address) + b"\0")
        if not sock.getsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, 40):
            raise OSError("this kernel takes the option and does without it")

    return prepare


all_closed(
    (f"{name} by {a}", lambda a=a, k=kind: udp(PUBLIC, 123, b"TRESPASS", led(k, a)))
    for a in INTERNAL[:3]
    for name, kind in (("loosely", 131), ("strictly", 137))
)
finish()
