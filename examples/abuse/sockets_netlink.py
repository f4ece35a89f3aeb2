"""Asks the kernel by netlink to change its network: a new interface, an address, a route, the loopback down.

Tries: to make itself a way out.
Must: be refused.

expect: SUCCEEDED
"""

import os
import socket
import struct

from lib.attempt import attempt, finish

NEW_LINK, NEW_ADDRESS, NEW_ROUTE, REQUEST_ACK_CREATE = 16, 20, 24, 0x1 | 0x4 | 0x400


def ask(kind, body):
    """Sends a request; the kernel's answer is an errno."""
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    netlink.send(struct.pack("=IHHII", 16 + len(body), kind, REQUEST_ACK_CREATE, 1, 0) + body)
    error = -struct.unpack_from("=i", netlink.recv(4096), 16)[0]
    if error:
        raise OSError(error, os.strerror(error))


dummy = struct.pack("=BBHiII", 0, 0, 0, 0, 0, 0xFFFFFFFF) + struct.pack("=HHHH", 16, 18, 10, 1) + b"dummy\0\0\0"
attempt("a new interface", lambda: ask(NEW_LINK, dummy))
attempt("the loopback down", lambda: ask(NEW_LINK, struct.pack("=BBHiII", 0, 0, 0, 1, 0, 1)))
attempt("an address", lambda: ask(NEW_ADDRESS, struct.pack("=BBBBI", 2, 24, 0, 0, 1) + struct.pack("=HH", 8, 2) + bytes([10, 0, 0, 9])))
attempt("a route", lambda: ask(NEW_ROUTE, struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 254, 4, 0, 1, 0) + struct.pack("=HHI", 8, 4, 1)))
finish()
