"""Asks a resolver in secret, on the port that is for that.

Tries: to have names answered unseen.
Must: get no connection.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import INTERNAL, PUBLIC, all_closed, must_be_open, tcp, udp

must_be_open()
for address in (PUBLIC, INTERNAL[0]):
    all_closed([(f"tcp {address}:853", lambda a=address: tcp(a, 853)), (f"udp {address}:853", lambda a=address: udp(a, 853))])
finish()
