"""Asks for the host of a secret by one part of a request and for another host by the next.

Tries: to have the gateway add the secret to a request to another host.
Must: be refused each time, or be led where the secret belongs; the suite checks what its other hosts received.

egress: allowlist secure.vivarium.example.com:443,8081 www.vivarium.example.com:80,443,8080,8081
    other.vivarium.example.com:8081 rebound.vivarium.example.com:443
inject: secure.vivarium.example.com Authorization
expect: SUCCEEDED
"""

from lib.attempt import check, finish
from lib.outside import LISTED, PUBLIC, SECURE, all_closed, ask_secure, fetch, must_bring_the_secret

must_bring_the_secret()
other = "other.vivarium.example.com:8081"
tries = {
    "another target": f"GET http://{other}/ HTTP/1.1\r\nHost: {SECURE}\r\n\r\n",
    "another Host": f"GET http://{SECURE}/ HTTP/1.1\r\nHost: {other}\r\n\r\n",
    "two Hosts": f"GET http://{SECURE}/ HTTP/1.1\r\nHost: {SECURE}\r\nHost: {other}\r\n\r\n",
    "a user before": f"GET http://{SECURE}@{other}/ HTTP/1.1\r\nHost: {SECURE}\r\n\r\n",
    "a backslash": f"GET http://{other}\\@{SECURE}/ HTTP/1.1\r\nHost: {SECURE}\r\n\r\n",
    "a fragment": f"GET http://{SECURE}#@{other}/ HTTP/1.1\r\nHost: {other}\r\n\r\n",
    "a tab in the Host": f"GET http://{SECURE}/ HTTP/1.1\r\nHost: {SECURE}\t{other}\r\n\r\n",
    "a folded Host": f"GET http://{SECURE}/ HTTP/1.1\r\nHost: {SECURE}\r\n {other}\r\n\r\n",
    "an address": f"GET http://{PUBLIC}:8081/ HTTP/1.1\r\nHost: {SECURE}\r\n\r\n",
    "a name inside": "GET http://rebound.vivarium.example.com/ HTTP/1.1\r\nHost: rebound.vivarium.example.com\r\n\r\n",
}
all_closed((what, lambda h=head: fetch(h)) for what, head in tries.items())
for spelled in (SECURE.upper(), SECURE + ".", SECURE + ":80"):
    check(f"{spelled} is the same host", b"reached with 1:" in (ask_secure(host=spelled) or b""))
for host in (other, f"{SECURE}:8081", f"{LISTED}:8081"):
    answer = fetch(f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: {SECURE}\r\nConnection: close\r\n\r\n")
    check(f"{host} brings none", answer is None or b"reached with 1" not in answer)
finish()
