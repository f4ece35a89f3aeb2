"""Goes to the host of a secret in a stranger's name, by each port that its list has and by its address.

Tries: what a list without ports opens beside TLS: a tunnel to port 80, plain requests to other ports, its address.
Must: be refused each, since the host would accept an agent's own credentials there.

egress: allowlist secure.vivarium.example.com:80,443,8080,8081 www.vivarium.example.com:80,443,8080,8081
    45.77.77.43:80,443,8080,8081
inject: secure.vivarium.example.com Authorization
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import SECURE, all_closed, ask_secure, hello, must_bring_the_secret, tunnel

must_bring_the_secret()
STRANGER = f"GET / HTTP/1.1\r\nHost: {SECURE}\r\nAuthorization: Bearer mine\r\n\r\n".encode()
all_closed(
    [(f"a tunnel to port {port}", lambda port=port: tunnel(f"{SECURE}:{port}", STRANGER)) for port in (80, 8080, 8081)]
    + [(f"a tunnel to its address, port {port}", lambda port=port: tunnel(f"45.77.77.43:{port}", hello(SECURE))) for port in (80, 443)]
    + [(f"a plain request to port {port}", lambda port=port: ask_secure(host=f"{SECURE}:{port}")) for port in (8080, 8081)]
)
finish()
