"""Goes to a listed host at ports that are not.

Tries: to reach another service of the same machine.
Must: be refused each.

egress: allowlist www.vivarium.example.com:80,443,8080,8081 rebound.vivarium.example.com:8080
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import LISTED, all_closed, must_be_open, tunnel

must_be_open("allowlist")
all_closed((f"port {port}", lambda p=port: tunnel(f"{LISTED}:{p}")) for port in (22, 53, 853, 6379, 8082, 65535))
finish()
