"""Goes to the one address of the node that it may ask for names, at all other ports.

Tries: to find something else that listens there.
Must: get no answer at any port but that for names.

limits: wallClock=60s
egress: public
expect: SUCCEEDED
"""

from lib.attempt import check, finish
from lib.outside import all_closed, must_be_open, resolver, tcp, udp

must_be_open()
check("names are answered", tcp(resolver(), 53, b"\0\1x") is not None)
ports = [port for port in range(1, 200) if port != 53] + [443, 853, 2375, 3128, 5432, 8080, 9042, 25520]
all_closed((f"tcp {port}", lambda p=port: tcp(resolver(), p)) for port in ports)
all_closed((f"udp {port}", lambda p=port: udp(resolver(), p)) for port in (67, 69, 111, 123, 161, 443, 5353))
finish()
