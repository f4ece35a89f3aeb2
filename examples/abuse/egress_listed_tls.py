"""Speaks TLS to the gateway for names that are not listed, for none, and for too long a one.

Tries: to be let through to them.
Must: be refused each.

egress: allowlist www.vivarium.example.com:80,443,8080,8081 rebound.vivarium.example.com:8080
expect: SUCCEEDED
"""

from lib.attempt import check, finish
from lib.outside import LISTED, closed, hello, must_be_open, resolver, tcp


def through(words):
    """Whether a host greeted; a reset is the gateway's own."""
    answer = tcp(resolver(), 443, words)
    return answer if answer == b"reached\n" else None


must_be_open("allowlist")
check("what is listed is let through", through(hello(LISTED)))
for name in ("other.vivarium.example.com", "rebound.vivarium.example.com", "localhost", None):
    closed(f"TLS for {name}", lambda: through(hello(name)))
closed("no TLS at all", lambda: through(b"GET / HTTP/1.0\r\nHost: " + LISTED.encode() + b"\r\n\r\n"))
closed("a record without end", lambda: through(b"\x16\x03\x01\xff\xff" + b"\1" * 70000))
finish()
