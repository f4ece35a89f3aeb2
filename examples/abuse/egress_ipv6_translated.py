"""Writes internal addresses as translators and tunnels do: NAT64, 6to4, Teredo, compatible.

Tries: to have a translator outside lead inside.
Must: find no way.

egress: public
expect: SUCCEEDED
"""

import socket

from lib.attempt import finish
from lib.outside import INTERNAL, all_closed, must_be_open, tcp

must_be_open()
tries = []
for address in INTERNAL:
    digits = socket.inet_aton(address).hex()
    high, low = digits[:4], digits[4:]
    for form in (f"64:ff9b::{high}:{low}", f"64:ff9b:1::{high}:{low}", f"2002:{high}:{low}::1", f"2001:0:{high}:{low}::1", f"::{high}:{low}"):
        tries.append((form, lambda f=form: tcp(f, 80, family=socket.AF_INET6)))
all_closed(tries)
finish()
