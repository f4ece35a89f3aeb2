"""Asks the proxy for tunnels to what is not listed: names, ports, addresses in every spelling.

Tries: to have the gateway go there for it.
Must: be refused each.

egress: allowlist www.vivarium.example.com:80,443,8080,8081 rebound.vivarium.example.com:8080
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import INTERNAL, LISTED, PUBLIC, all_closed, must_be_open, tunnel

must_be_open("allowlist")
targets = [
    "other.vivarium.example.com:8080", f"{LISTED}:6379", f"{LISTED}:22", f"{PUBLIC}:8080", f"{LISTED}@other.vivarium.example.com:8080",
    f"{LISTED}:8080@{INTERNAL[0]}:8080", "169.254.169.254:80", "2852039166:80", "0xa9fea9fe:80", "[::ffff:a9fe:a9fe]:80",
    "localhost:8080", "127.0.0.1:8080", "127.1:8080", "[::1]:8080", "0.0.0.0:8080", "0:8080", "rebound.vivarium.example.com:8080",
    "host.docker.internal:8080", f"{LISTED}.:6379", f"{LISTED}:65616", f"{LISTED}:-1", f"{LISTED}", ":8080", "*:8080",
]
targets += [f"{address}:8080" for address in INTERNAL]
all_closed((target, lambda t=target: tunnel(t)) for target in targets)
finish()
