"""Asks for names that are not listed, or look like one that is.

Tries: to have them answered.
Must: have no answer, and no resolver is asked.

egress: allowlist www.vivarium.example.com:80,443,8080,8081 rebound.vivarium.example.com:8080
expect: SUCCEEDED
"""

from lib.attempt import check, finish
from lib.outside import LISTED, addresses_of, must_be_open, nameless, resolver

must_be_open("allowlist")
check("a listed name leads to the gateway", addresses_of(LISTED) == [resolver()])
for name in (
    "other.vivarium.example.com", "vivarium.example.com", f"{LISTED}.evil.example.org", f"x.{LISTED}", f"{LISTED[:-4]}.org",
    "wwww.vivarium.example.com", "www-vivarium.example.com", f"{LISTED}%00.example.org", "xn--www-vivarium.example.com",
):
    nameless(name)
finish()
