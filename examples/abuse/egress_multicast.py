"""Calls all hosts together: by multicast, by broadcast, by names of local services.

Tries: to find other hosts in the network.
Must: get no answer.

egress: public
expect: SUCCEEDED
"""

import socket

from lib.attempt import finish
from lib.outside import all_closed, must_be_open, own_address, udp

must_be_open()


def widely(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 32)


places = [("224.0.0.1", 9), ("224.0.0.251", 5353), ("239.255.255.250", 1900), ("255.255.255.255", 67)]
places.append((own_address().rsplit(".", 1)[0] + ".255", 137))
all_closed((f"{a}:{p}", lambda a=a, p=p: udp(a, p, prepare=widely)) for a, p in places)
finish()
