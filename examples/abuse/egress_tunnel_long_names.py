"""Sends data out as long names, and reads data as records that are no addresses.

Tries: to tunnel in questions.
Must: have long names and other kinds of records refused.

egress: public
expect: SUCCEEDED
"""

import socket
import struct

from lib.attempt import check, finish
from lib.outside import must_be_open, resolver

must_be_open()


def ask(name, kind=1):
    """The code of the answer, and how many answers."""
    message = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0)
    message += b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0" + struct.pack("!HH", kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(3)
        sock.sendto(message, (resolver(), 53))
        try:
            answer = sock.recvfrom(4096)[0]
        except OSError:
            return None
        return answer[3] & 15, struct.unpack("!H", answer[6:8])[0]


check("an ordinary name is answered", ask("www.vivarium.example.com") == (0, 1))
for length in (61, 62, 63):
    check(f"a label of {length} is refused", ask("x" * length + ".vivarium.example.com") in ((5, 0), None))
check("a name of 200 is refused", ask(".".join(["x" * 40] * 4) + ".vivarium.example.com") in ((5, 0), None))
for name, kind in (("TXT", 16), ("NULL", 10), ("ANY", 255), ("MX", 15), ("SRV", 33), ("AXFR", 252), ("PTR", 12)):
    answer = ask("tunnel.vivarium.example.com", kind)
    check(f"{name} brings nothing", answer is None or answer[1] == 0)
finish()
