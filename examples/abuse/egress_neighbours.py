"""Looks for other sandboxes at the addresses around its own.

Tries: to find a neighbour, or that there is one.
Must: get no answer, not even that a port is closed.

limits: wallClock=60s
egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import all_closed, must_be_open, own_address, tcp, udp

must_be_open()
begin, last = own_address().rsplit(".", 1)
around = [f"{begin}.{n}" for n in range(max(0, int(last) - 40), min(256, int(last) + 40)) if n != int(last)]
all_closed((f"tcp {address}:80", lambda a=address: tcp(a, 80)) for address in around)
all_closed((f"udp {address}:9", lambda a=address: udp(a, 9)) for address in around)
finish()
