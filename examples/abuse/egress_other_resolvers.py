"""Asks other resolvers than the node: in the internet, inside, by UDP and TCP.

Tries: to have names answered that the node does not answer, and to tunnel in questions.
Must: get no answer.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import INTERNAL, PUBLIC, all_closed, must_be_open, tcp, udp

must_be_open()
question = b"\0\7\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1"
for address in (PUBLIC, *INTERNAL[:4]):
    all_closed([(f"udp {address}:53", lambda a=address: udp(a, 53, question)), (f"tcp {address}:53", lambda a=address: tcp(a, 53, b"\0\x1d" + question))])
finish()
