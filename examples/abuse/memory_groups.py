"""Joins multicast groups on every socket that it can open.

Tries: to hold the host's memory in memberships, which no memory group counts: twenty on each socket by default, of IPv6 as many
as one likes.
Must: succeed: a socket may have two of IPv4 and none of IPv6.

expect: SUCCEEDED
expect-gvisor: SUCCEEDED
"""

import socket
import struct

from lib.attempt import OWN_KERNEL, check, finish

four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
joined = 0
for group in range(64):
    try:
        four.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4si", bytes([239, 1, 1, group]), bytes(4), 1))
        joined += 1
    except OSError:
        break
check(f"{joined} memberships of IPv4 on one socket", joined <= 2 or OWN_KERNEL)
joined = 0
try:
    six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    for group in range(64):
        six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, struct.pack(">HHIIIi", 0xFF05, 0, 0, 0, group, 0x01000000))
        joined += 1
except OSError as error:
    print(error, flush=True)
check(f"{joined} memberships of IPv6 on one socket", joined == 0)
finish()
