"""Opens one connection after the other, without end.

Tries: to use up what the machine and its neighbours have of the network.
Must: be killed at its limit of connections.

limits: egressRequests=50
egress: public
expect: KILLED EGRESS_REQUESTS
"""

from lib.outside import PUBLIC, must_be_open, tcp

must_be_open()
while True:
    tcp(PUBLIC, 80)
