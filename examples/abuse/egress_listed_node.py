"""Asks the proxy for the node itself: its address towards sandboxes, its others, its API.

Tries: to have the gateway speak with its own machine.
Must: be refused each.

egress: allowlist www.vivarium.example.com:80,443,8080,8081 rebound.vivarium.example.com:8080
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import NODE, all_closed, must_be_open, resolver, tunnel

must_be_open("allowlist")
all_closed((f"{a}:{p}", lambda a=a, p=p: tunnel(f"{a}:{p}")) for a in (resolver(), *NODE) for p in (53, 80, 443, 3128, 8080))
finish()
