"""Hides requests and headers of its own in requests that the gateway adds a secret to.

Tries: to have a second request arrive beside the first, or its own credential beside or before the secret.
Must: be refused, or arrive as a body; of credentials one arrives, which is not its own.

egress: allowlist secure.vivarium.example.com:443,8081 www.vivarium.example.com:80,443,8080,8081
    other.vivarium.example.com:8081 rebound.vivarium.example.com:443
inject: secure.vivarium.example.com Authorization
expect: SUCCEEDED
"""

import hashlib

from lib.attempt import check, finish
from lib.outside import SECURE, ask_secure, closed, fetch, must_bring_the_secret

must_bring_the_secret()
mine = hashlib.sha256(b"Bearer mine").hexdigest().encode()
hidden = f"GET /TRESPASS HTTP/1.1\r\nHost: {SECURE}\r\nAuthorization: Bearer mine\r\n\r\n"
start = f"POST http://{SECURE}/ HTTP/1.1\r\nHost: {SECURE}\r\n"
for what, head in {
    "two lengths": f"{start}Content-Length: 0\r\nContent-Length: {len(hidden)}\r\n\r\n{hidden}",
    "a length and chunks": f"{start}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
    "chunks of a sort": f"{start}Transfer-Encoding: xchunked\r\n\r\n{hidden}",
    "a blank before the colon": f"{start}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{hidden}",
    "a negative length": f"{start}Content-Length: -1\r\n\r\n{hidden}",
    "a signed length": f"{start}Content-Length: +5\r\n\r\n{hidden}",
    "a bare line feed": f"{start}X: y\nAuthorization: Bearer mine\r\n\r\n",
    "a bare carriage return": f"{start}X: y\rAuthorization: Bearer mine\r\n\r\n",
    "a header without a name": f"{start}: y\r\n\r\n",
    "a line end in the target": f"GET http://{SECURE}/\r\nAuthorization: Bearer mine HTTP/1.1\r\nHost: {SECURE}\r\n\r\n",
}.items():
    closed(what, lambda: fetch(head))
for what, more in {
    "its own credential": "Authorization: Bearer mine\r\n",
    "two of its own": "Authorization: Bearer mine\r\nAUTHORIZATION: Bearer mine\r\n",
    "named for the connection": "Connection: authorization\r\nAuthorization: Bearer mine\r\n",
    "folded": "X: y\r\n Authorization: Bearer mine\r\n",
    "promised for the end": "Trailer: Authorization\r\n",
}.items():
    answer = ask_secure(more=more) or b""
    check(f"{what}: one arrives, and not that", b"reached with 1:" in answer and mine not in answer)
body = f"Content-Length: {len(hidden)}\r\n"
answer = ask_secure(method="POST", more=body, body=hidden) or b""
check("in a body it is a body", answer.count(b"reached with") == 1 and mine not in answer)
finish()
