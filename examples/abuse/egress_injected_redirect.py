"""Has the host of a secret redirect it, as many hosts do on request.

Tries: to have the gateway follow with the secret, or to follow itself and find the secret added there too.
Must: receive the redirect, and bring no secret there.

egress: allowlist secure.vivarium.example.com:443,8081 www.vivarium.example.com:80,443,8080,8081
    other.vivarium.example.com:8081 rebound.vivarium.example.com:443
inject: secure.vivarium.example.com Authorization
expect: SUCCEEDED
"""

from lib.attempt import check, finish
from lib.outside import ask_secure, fetch, must_bring_the_secret

must_bring_the_secret()
answer = ask_secure("/redirect") or b""
check("the redirect is told and not followed", b" 307 " in answer[:16] and b"location: http://other" in answer.lower())
elsewhere = "other.vivarium.example.com:8081"
for more in ("", "Referer: http://secure.vivarium.example.com/redirect\r\n", "Authorization: \r\n"):
    followed = fetch(f"GET http://{elsewhere}/ HTTP/1.1\r\nHost: {elsewhere}\r\n{more}Connection: close\r\n\r\n")
    check("following it brings none", followed is not None and b"with" not in followed)
finish()
