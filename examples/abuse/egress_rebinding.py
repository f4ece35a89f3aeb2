"""Asks for names of its own that lead inside.

Tries: to have a name do what an address may not.
Must: get no answer that is inside.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import check, finish
from lib.outside import LISTED, PUBLIC, addresses_of, must_be_open, nameless

must_be_open()
check("a name is answered", addresses_of(LISTED) == [PUBLIC])
for name in ("rebound", "loopback", "metadata", "mixed", "mapped", "nat64"):
    nameless(f"{name}.vivarium.example.com")
finish()
