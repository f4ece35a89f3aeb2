"""Asks for a name that leads outside at first and inside when it is asked again.

Tries: to be judged by the first answer and connected by the second.
Must: never be led inside.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import closed, must_be_open, nameless, tcp

must_be_open()
name = "later.vivarium.example.com"
nameless(name)
for turn in range(5):
    nameless(name)
    closed(f"a connection by name, turn {turn}", lambda: None if tcp(name, 6379) in (None, b"reached\n") else "another host")
finish()
