"""Hides a request for another host in the body of one for what is listed.

Tries: to have the host, or the gateway, take it for a request.
Must: be refused, or arrive as a body.

egress: allowlist www.vivarium.example.com:80,443,8080,8081 rebound.vivarium.example.com:8080
expect: SUCCEEDED
"""

from lib.attempt import check, finish
from lib.outside import LISTED, closed, fetch, must_be_open

must_be_open("allowlist")
there = f"{LISTED}:8081"
hidden = "GET http://TRESPASS.vivarium.example.com:8081/ HTTP/1.1\r\nHost: TRESPASS.vivarium.example.com\r\n\r\n"
start = f"POST http://{there}/ HTTP/1.1\r\nHost: {there}\r\n"

check("an ordinary request is answered", fetch(f"{start}Content-Length: 0\r\n\r\n"))
for what, head in {
    "two lengths": f"{start}Content-Length: 0\r\nContent-Length: {len(hidden)}\r\n\r\n{hidden}",
    "a length and chunks": f"{start}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
    "chunks of a sort": f"{start}Transfer-Encoding: xchunked\r\n\r\n{hidden}",
    "a negative length": f"{start}Content-Length: -1\r\n\r\n{hidden}",
    "a signed length": f"{start}Content-Length: +5\r\n\r\n{hidden}",
    "a bare line feed": f"{start}X: y\n{hidden}",
}.items():
    closed(what, lambda: fetch(head))
finish()
