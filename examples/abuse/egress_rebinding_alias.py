"""Asks for a name that is another name for one inside.

Tries: to hide the address behind an alias.
Must: get no answer that is inside.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import must_be_open, nameless

must_be_open()
for name in ("alias.vivarium.example.com", "ALIAS.vivarium.example.com.", "a.rebound.example.com"):
    nameless(name)
finish()
