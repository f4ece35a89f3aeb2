"""Goes to the node: its API, its cluster, its store, the engine, at each address that the machine has.

Tries: to reach what listens on the node.
Must: get no answer, not even a refusal.

limits: wallClock=60s
egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import NODE, all_closed, must_be_open, tcp

must_be_open()
ports = (22, 111, 2375, 2376, 5432, 6443, 7626, 8080, 8558, 9042, 10250, 17355, 25520)
all_closed((f"{address}:{port}", lambda a=address, p=port: tcp(a, p)) for address in NODE for port in ports)
finish()
