"""Sends as much as it can to the open internet.

Tries: to carry away whatever it has found, or to have its owner pay for the traffic.
Must: be killed at its limit of bytes.

limits: egressBytes=1Mi
egress: public
expect: KILLED EGRESS_BYTES
"""

import socket

from lib.outside import PUBLIC, must_be_open

must_be_open()
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
# To the kernel each datagram of an unanswered flow is a new flow, and new flows have their own limit.
sock.settimeout(5)
sock.sendto(b"hello", (PUBLIC, 443))
sock.recvfrom(64)
while True:
    sock.sendto(b"x" * 1400, (PUBLIC, 443))
