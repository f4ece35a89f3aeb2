"""Sends data out as many names of one domain.

Tries: to tunnel in the names themselves.
Must: be cut off after some hundreds.

limits: wallClock=60s
egress: public
expect: SUCCEEDED
"""

import time

from lib.attempt import check, finish
from lib.outside import ask, must_be_open

must_be_open()
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
