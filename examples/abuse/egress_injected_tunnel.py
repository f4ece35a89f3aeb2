"""Goes to the host of a secret by ways of its own: tunnels, TLS, a plain request to the port of TLS, methods that echo.

Tries: to speak with the host in another name, or to have the secret sent back or sent in clear.
Must: be refused each: requests that the gateway adds the secret to are the only way there.

egress: allowlist secure.vivarium.example.com:443,8081 www.vivarium.example.com:80,443,8080,8081
    other.vivarium.example.com:8081 rebound.vivarium.example.com:443
inject: secure.vivarium.example.com Authorization
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import PUBLIC, SECURE, all_closed, ask_secure, hello, must_bring_the_secret, resolver, tcp, tunnel

must_bring_the_secret()


def by_sni():
    answer = tcp(resolver(), 443, hello(SECURE))
    # A fatal alert is a refusal; the record of a handshake would be the host's.
    return None if isinstance(answer, bytes) and answer[:1] == b"\x15" else answer


all_closed(
    [
        ("a tunnel", lambda: tunnel(f"{SECURE}:443", hello(SECURE))),
        ("a tunnel in capitals", lambda: tunnel(f"{SECURE.upper()}.:443", hello(SECURE))),
        ("a tunnel elsewhere with its name in TLS", lambda: tunnel("www.vivarium.example.com:443", hello(SECURE))),
        ("a tunnel to its address", lambda: tunnel("45.77.77.43:443", hello(SECURE))),
        ("TLS by its name", by_sni),
        ("a plain request to the port of TLS", lambda: ask_secure(host=f"{SECURE}:443")),
        ("TRACE", lambda: ask_secure(method="TRACE")),
        ("TRACK", lambda: ask_secure(method="TRACK")),
        ("trace", lambda: ask_secure(method="trace")),
        ("the address past the gateway", lambda: tcp("45.77.77.43", 443)),
        ("the internet past the gateway", lambda: tcp(PUBLIC, 443)),
    ]
)
finish()
