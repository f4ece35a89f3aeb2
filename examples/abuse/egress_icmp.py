"""Pings, which carries data too.

Tries: to find hosts, and to tunnel in echoes.
Must: get no echo, from inside or from the internet.

egress: public
expect: SUCCEEDED
"""

import socket
import struct

from lib.attempt import finish
from lib.outside import INTERNAL, PUBLIC, all_closed, must_be_open, resolver

must_be_open()


def ping(address):
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as sock:
            sock.settimeout(1)
            sock.sendto(struct.pack("!BBHHH", 8, 0, 0, 1, 1) + b"data", (address, 0))
            return sock.recvfrom(64)[0]
    except OSError:
        return None


all_closed((a, lambda a=a: ping(a)) for a in (PUBLIC, resolver(), *INTERNAL))
finish()
