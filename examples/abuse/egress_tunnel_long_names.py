"""Sends data out as long names, and reads data as records that are no addresses.

Tries: to tunnel in questions.
Must: have long names and other kinds of records refused.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import check, finish
from lib.outside import ask, must_be_open

must_be_open()
check("an ordinary name is answered", ask("www.vivarium.example.com") == (0, 1))
for length in (61, 62, 63):
    check(f"a label of {length} is refused", ask("x" * length + ".vivarium.example.com") in ((5, 0), None))
check("a name of 200 is refused", ask(".".join(["x" * 40] * 4) + ".vivarium.example.com") in ((5, 0), None))
for name, kind in (("TXT", 16), ("NULL", 10), ("ANY", 255), ("MX", 15), ("SRV", 33), ("AXFR", 252), ("PTR", 12)):
    answer = ask("tunnel.vivarium.example.com", kind)
    check(f"{name} brings nothing", answer is None or answer[1] == 0)
finish()
