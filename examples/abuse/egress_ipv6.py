"""Goes by IPv6: to unique local, link-local, multicast and documentation addresses, and to the internet.

Tries: to find that only version 4 was thought of.
Must: find no way.

egress: public
expect: SUCCEEDED
"""

import socket

from lib.attempt import finish
from lib.outside import all_closed, must_be_open, tcp, udp

must_be_open()
places = ("fd77:77::10", "fd00:ec2::254", "fe80::1%eth0", "fec0::1", "ff02::1%eth0", "2001:db8::10", "::1%eth0", "2001:db8:1::80")
all_closed((f"tcp [{a}]", lambda a=a: tcp(a, 80, family=socket.AF_INET6)) for a in places if a != "::1%eth0")
all_closed((f"udp [{a}]", lambda a=a: udp(a, 53, family=socket.AF_INET6)) for a in places if a != "::1%eth0")
finish()
