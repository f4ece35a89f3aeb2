"""Opens a tunnel to a listed host and sends another name in TLS inside it.

Tries: to reach another host at the same address.
Must: be cut off.

egress: allowlist www.vivarium.example.com:80,443,8080,8081 rebound.vivarium.example.com:8080
expect: SUCCEEDED
"""

from lib.attempt import check, finish
from lib.outside import LISTED, closed, hello, must_be_open, tunnel

must_be_open("allowlist")
check("its own name passes", tunnel(f"{LISTED}:443", hello(LISTED)) == b"reached")
for name in ("other.vivarium.example.com", "rebound.vivarium.example.com", "localhost", "evil.example.org"):
    closed(f"a tunnel to what is listed, for {name}", lambda: tunnel(f"{LISTED}:443", hello(name)))
finish()
