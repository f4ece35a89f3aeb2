"""Connects to the machines that containers usually reach: metadata services, gateways, private ranges, public names.

Tries: to get to the internal network, or to any.
Must: find no way there.

expect: SUCCEEDED
"""

import errno
import socket

from lib.attempt import attempt, check, finish

NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)
for address in ("169.254.169.254", "172.17.0.1", "10.0.0.1", "192.168.0.1", "100.64.0.1", "1.1.1.1", "224.0.0.1"):
    attempt(f"{address}:80", lambda: socket.create_connection((address, 80), 1), *NO_WAY)
    attempt(f"a datagram to {address}", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", (address, 53)), *NO_WAY)
for address in ("fd00:ec2::254", "fe80::1%lo", "2606:4700:4700::1111"):
    attempt(f"[{address}]:80", lambda: socket.create_connection((address, 80), 1), *NO_WAY)
check("there is a loopback and nothing else", [name for _, name in socket.if_nameindex()] == ["lo"])
finish()
