"""Writes internal addresses of version 4 as ones of version 6, which the kernel takes for what they are.

Tries: to get past rules that look at the family.
Must: get no answer.

egress: public
expect: SUCCEEDED
"""

import socket

from lib.attempt import check, finish
from lib.outside import INTERNAL, PUBLIC, all_closed, must_be_open, tcp, udp

must_be_open()
check("the form is understood", tcp("::ffff:" + PUBLIC, 80, family=socket.AF_INET6) == b"reached\n")
all_closed((f"tcp ::ffff:{a}", lambda a=a: tcp("::ffff:" + a, 80, family=socket.AF_INET6)) for a in INTERNAL)
all_closed((f"udp ::ffff:{a}", lambda a=a: udp("::ffff:" + a, 123, family=socket.AF_INET6)) for a in INTERNAL)
finish()
