"""Speaks other protocols than TCP and UDP.

Tries: to get past rules that know only those two.
Must: get no such socket, or no answer.

egress: public
expect: SUCCEEDED
"""

import socket

from lib.attempt import finish
from lib.outside import INTERNAL, PUBLIC, all_closed, must_be_open

must_be_open()


def speak(kind, protocol, address):
    try:
        with socket.socket(socket.AF_INET, kind, protocol) as sock:
            sock.settimeout(1)
            sock.connect((address, 80))
            sock.send(b"TRESPASS")
            return sock.recv(64)
    except OSError:
        return None


SOCK_DCCP = 6
kinds = (
    ("SCTP", socket.SOCK_STREAM, 132), ("SCTP, by message", socket.SOCK_SEQPACKET, 132), ("DCCP", SOCK_DCCP, 33),
    ("UDP-Lite", socket.SOCK_DGRAM, 136), ("MPTCP inside", socket.SOCK_STREAM, 262), ("GRE", socket.SOCK_RAW, 47),
)
all_closed((f"{name} to {INTERNAL[0]}", lambda k=kind, n=number: speak(k, n, INTERNAL[0])) for name, kind, number in kinds)
all_closed((f"{name} to {PUBLIC}", lambda k=kind, n=number: speak(k, n, PUBLIC)) for name, kind, number in kinds if number != 262)
finish()
