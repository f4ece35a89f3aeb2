"""Sends datagrams in fragments, of which only the first has a port.

Tries: to get past rules that look at ports.
Must: get no answer from inside, and none from a foreign resolver.

egress: public
expect: SUCCEEDED
"""

import socket

from lib.attempt import finish
from lib.outside import INTERNAL, PUBLIC, all_closed, must_be_open, udp

must_be_open()
IP_MTU_DISCOVER, DONT = 10, 0
IP_PMTUDISC = lambda sock: sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, DONT)
all_closed((f"in pieces to {a}", lambda a=a: udp(a, 123, b"x" * 5000, IP_PMTUDISC)) for a in INTERNAL)
all_closed([("in pieces to a resolver", lambda: udp(PUBLIC, 53, b"x" * 5000, IP_PMTUDISC))])
finish()
