"""Opens sockets of every family that the kernel may have.

Tries: to reach the host (vsock), old protocols with old bugs, and the kernel's cryptography (AF_ALG).
Must: be refused but for Unix, IPv4, IPv6 and routing information, which ordinary programs need.

expect: SUCCEEDED
"""

import socket

from lib.attempt import attempt, check, finish

ORDINARY = (1, 2, 10, 16)  # unix, inet, inet6, netlink
for family in range(0, 46):
    if family in ORDINARY:
        continue
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        # The filter refuses before the kernel looks at the family: EAFNOSUPPORT would mean that it had.
        attempt(f"family {family}, type {int(kind)}", lambda: socket.socket(family, kind))
for protocol in range(1, 23):
    attempt(f"netlink protocol {protocol}", lambda: socket.socket(16, socket.SOCK_RAW, protocol))
for family in (1, 2, 10):
    check(f"family {family} is there", socket.socket(family, socket.SOCK_DGRAM).fileno() >= 0)
attempt("a socket pair of TIPC", lambda: socket.socketpair(30, socket.SOCK_STREAM))
finish()
