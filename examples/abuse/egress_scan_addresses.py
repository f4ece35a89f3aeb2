"""Tries one port of every address of a network inside.

Tries: to learn which hosts exist.
Must: get no answer from any.

limits: wallClock=60s
egress: public
expect: SUCCEEDED
"""

import socket

from lib.attempt import finish
from lib.outside import INTERNAL, all_closed, must_be_open, tcp

must_be_open()
network = INTERNAL[0].rsplit(".", 1)[0]
all_closed((f"{network}.{n}", lambda n=n: tcp(f"{network}.{n}", 80)) for n in range(256))
finish()
