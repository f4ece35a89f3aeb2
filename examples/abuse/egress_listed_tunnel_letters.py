"""Carries data away in names below a wildcard, which the gateway looks up on its behalf.

Tries: to have the gateway ask for many different names below one domain, by requests and by tunnels.
Must: get no more answers after some 4 KiB of letters.

egress: allowlist *.example.com:80,443 www.vivarium.example.com:80,443,8080,8081
limits: egressRequests=400
expect: SUCCEEDED
"""

from lib.attempt import escaped, finish, held
from lib.outside import must_be_open, through_proxy

must_be_open("allowlist")
letters = 0
for count in range(150):
    name = f"{count:04d}{'x' * 52}.vivarium.example.com"
    answer = through_proxy(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode())
    if b" 403 " in answer[:16]:
        break
    letters += len(name)
if letters > 6144:
    escaped("names below a wildcard", f"{letters} letters")
else:
    held(f"names below a wildcard after {letters} letters")
finish()
