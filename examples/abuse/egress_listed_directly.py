"""Goes to the internet past the gateway, by address.

Tries: to find another way out.
Must: find none.

egress: allowlist www.vivarium.example.com:80,443,8080,8081 rebound.vivarium.example.com:8080
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import INTERNAL, NODE, PUBLIC, closed_hosts, must_be_open

must_be_open("allowlist")
closed_hosts((PUBLIC, *INTERNAL, *NODE), ports=(80, 443))
finish()
