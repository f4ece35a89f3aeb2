"""Asks its own link for its neighbours, and fills the machine's neighbour table.

Tries: datagrams "on link", for which the kernel would ask by ARP, whatever the routes: the machine answered for each of its
    addresses, and each question took an entry of a table that all of the machine shares.
Must: learn nothing, and leave nothing in the table.

egress: public
expect: SUCCEEDED
"""

import socket
import struct
import time

from lib.attempt import escaped, finish, held
from lib.outside import NODE, must_be_open

must_be_open()
PKTINFO = 8
try:
    link = socket.if_nametoindex("eth0")
except OSError:
    link = 2  # gVisor lists the loopback only
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
refused = 0
for address in NODE + [f"10.9.{count >> 8}.{count & 255}" for count in range(2000)]:
    try:
        sock.sendmsg([b"?"], [(socket.IPPROTO_IP, PKTINFO, struct.pack("=I4s4s", link, bytes(4), bytes(4)))], socket.MSG_DONTROUTE, (address, 9))
    except OSError:
        refused += 1
time.sleep(1)
with open("/proc/net/arp") as file:
    known = [line.split() for line in file.readlines()[1:]]
told = [entry[0] for entry in known if entry[0] in NODE and int(entry[2], 16) & 2]
escaped("questions on the link", told) if told else held("questions on the link")
escaped("the table of neighbours", len(known)) if len(known) > 16 else held("the table of neighbours")
finish()
