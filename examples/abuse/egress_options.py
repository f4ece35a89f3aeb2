"""Has each router on the way write its address, or its clock, into a packet, by the options of IP.

Tries: to have a host outside learn the node's addresses, and tell them.
Must: get no answer to such packets.

egress: public
expect: SUCCEEDED
"""

import socket

from lib.attempt import finish
from lib.outside import PUBLIC, all_closed, must_be_open, udp

OPTIONS = {
    "record route": bytes([7, 39, 4]) + bytes(37),
    "timestamps with addresses": bytes([68, 36, 5, 1]) + bytes(36),
    "router alert": bytes([148, 4, 0, 0]),
}

must_be_open()


def with_option(option):
    def prepare(sock):
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, option)
        if not sock.getsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, 40):
            raise OSError("this kernel takes the option and does without it")

    return prepare


all_closed((name, lambda o=option: udp(PUBLIC, 123, b"hello", with_option(o))) for name, option in OPTIONS.items())
finish()
