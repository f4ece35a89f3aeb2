"""Makes packets by hand: raw sockets, packet sockets, tunnels of its own.

Tries: to write what headers it likes.
Must: get none of these sockets and devices.

egress: public
expect: SUCCEEDED
"""

import errno
import socket

from lib.attempt import attempt, finish
from lib.outside import must_be_open

must_be_open()
for name, protocol in (("IP", 255), ("TCP", 6), ("UDP", 17), ("ICMP", 1), ("GRE", 47)):
    attempt(f"a raw socket for {name}", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol))
for name, kind in (("frames", socket.SOCK_RAW), ("packets", socket.SOCK_DGRAM)):
    attempt(f"a socket for {name}", lambda: socket.socket(socket.AF_PACKET, kind, 0x0300), errno.EAFNOSUPPORT)
attempt("a tunnel", lambda: open("/dev/net/tun", "r+b", buffering=0), errno.ENOENT, errno.ENXIO)
finish()
