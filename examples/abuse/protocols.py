"""Opens sockets of rarely used protocols, in the families that are allowed.

Tries: to reach old and rarely looked at parts of the kernel: MPTCP, SCTP, DCCP, UDP-Lite, L2TP, SMC, raw sockets, other
netlink families, and each under a type that hides it.
Must: succeed: TCP, UDP, Unix and the routing netlink work, and all others are refused.

expect: SUCCEEDED
"""

import errno
import socket

from lib.attempt import attempt, check, finish

STREAM, DATAGRAM, RAW, SEQPACKET, DCCP, PACKET = 1, 2, 3, 5, 6, 10
FAMILIES = {"IPv4": socket.AF_INET, "IPv6": socket.AF_INET6}
PROTOCOLS = {
    "MPTCP": (STREAM, 262), "SCTP": (STREAM, 132), "SCTP in packets": (SEQPACKET, 132), "UDP-Lite": (DATAGRAM, 136),
    "DCCP": (DCCP, 33), "L2TP": (DATAGRAM, 115), "raw": (RAW, 255), "raw TCP": (RAW, 6), "IGMP": (DATAGRAM, 2),
    "AH": (RAW, 51), "IP in IP": (RAW, 4), "packets": (PACKET, 0x0300), "SMC": (STREAM, 256),
}
for family, number in FAMILIES.items():
    for name, (kind, protocol) in PROTOCOLS.items():
        attempt(f"{name} over {family}", lambda: socket.socket(number, kind, protocol))
        attempt(f"{name} over {family}, non-blocking", lambda: socket.socket(number, kind | socket.SOCK_NONBLOCK, protocol))
for protocol in (2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 15, 16, 18, 20, 21):
    attempt(f"netlink family {protocol}", lambda: socket.socket(socket.AF_NETLINK, RAW, protocol))
for family in (3, 4, 5, 6, 9, 11, 15, 17, 21, 24, 26, 29, 30, 31, 38, 39, 40, 42, 43, 44, 45):
    attempt(f"family {family}", lambda: socket.socket(family, STREAM, 0), errno.EAFNOSUPPORT)
for family, kind, protocol in ((2, STREAM, 0), (2, STREAM, 6), (2, DATAGRAM, 17), (1, STREAM, 0), (1, DATAGRAM, 0), (1, SEQPACKET, 0), (16, RAW, 0)):
    with socket.socket(family, kind, protocol) as opened:
        check(f"family {family}, type {kind}, protocol {protocol} works", opened.fileno() >= 0)
finish()
