"""Changes its own network: addresses, routes, its hardware address, neighbours, the interface.

Tries: to take another identity, or another route.
Must: be refused each change, and keep one interface.

egress: public
expect: SUCCEEDED
"""

import errno
import fcntl
import socket
import struct

from lib.attempt import attempt, check, finish
from lib.outside import must_be_open, own_address

must_be_open()
own = own_address()
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def change(request, *more):
    return lambda: fcntl.ioctl(sock, request, struct.pack("16s", b"eth0") + b"".join(more).ljust(24, b"\0"))


to = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton("198.18.0.99"))
attempt("another address", change(0x8916, to))
attempt("another netmask", change(0x891C, to))
attempt("another hardware address", change(0x8924, struct.pack("H6s", 1, b"\2\0\0\0\0\1")))
attempt("promiscuity", change(0x8914, struct.pack("H", 0x1143)))
attempt("another name", change(0x8923, b"eth9"))
attempt("another MTU", change(0x8922, struct.pack("I", 9000)))
attempt("a route", lambda: fcntl.ioctl(sock, 0x890B, b"\0" * 120))
attempt("a neighbour's entry", lambda: fcntl.ioctl(sock, 0x8955, b"\0" * 68), errno.EINVAL)
check("the address is as it was", own_address() == own)
check("there is one link at most", {name for _, name in socket.if_nameindex()} <= {"eth0", "lo"})
must_be_open()
finish()
