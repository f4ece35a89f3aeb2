"""Opens tunnels to what is listed, on ports of plain HTTP and others, and names another host within.

Tries: another Host, a URL for another host, requests without a version, another name in TLS where no TLS is expected, a TLS warning that hides the
    greeting behind it, and a second request in a tunnel whose first was in order.
Must: be cut off before the host receives it.

egress: allowlist www.vivarium.example.com:80,443,8080,8081
expect: SUCCEEDED
"""

from lib.attempt import check, finish
from lib.outside import LISTED, closed, hello, must_be_open, through_proxy

OTHER = "other.vivarium.example.com"
must_be_open("allowlist")


def said(port, words):
    """The answer of the server behind a tunnel, which sends no greeting."""
    target = f"{LISTED}:{port}"
    return through_proxy(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode(), words)


def heard(words):
    answer = said(8081, words)
    return answer if b"reached" in answer else None


def get(host, url="/"):
    return f"GET {url} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


check("its own name passes", b"reached" in said(8081, get(f"{LISTED}:8081")))
closed("another Host", lambda: heard(get(OTHER)))
closed("a URL for another host", lambda: heard(get(LISTED, f"http://{OTHER}/")))
closed("an empty line before it", lambda: heard(b"\r\n" + get(OTHER)))
closed("the version in small letters", lambda: heard(get(OTHER).replace(b"HTTP", b"http")))
closed("two hosts", lambda: heard(get(LISTED).replace(b"\r\n\r\n", f"\r\nHost: {OTHER}\r\n\r\n".encode())))
closed("HTTP/2 without TLS", lambda: heard(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
closed("no version", lambda: heard(get(OTHER).replace(b" HTTP/1.1", b"")))
closed("another version", lambda: heard(get(OTHER).replace(b"HTTP/", b"HTTQ/")))
closed("another name in TLS", lambda: heard(hello(OTHER)))
closed("another name behind a warning", lambda: (b"reached" in said(443, b"\x15\x03\x01\x00\x02\x01\x5a" + hello(OTHER))) or None)
finish()
