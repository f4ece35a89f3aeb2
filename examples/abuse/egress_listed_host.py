"""Asks for what is listed by one part of an HTTP request and for another host by the next.

Tries: to be judged by the one and led by the other.
Must: be refused, or be led where it was judged: the suite checks what its hosts received.

egress: allowlist www.vivarium.example.com:80,443,8080,8081 rebound.vivarium.example.com:8080
expect: SUCCEEDED
"""

from lib.attempt import check, finish
from lib.outside import INTERNAL, LISTED, closed, fetch, must_be_open

must_be_open("allowlist")
other, there = "other.vivarium.example.com:8081", f"{LISTED}:8081"

check("an ordinary request is answered", fetch(f"GET http://{there}/ HTTP/1.1\r\nHost: {there}\r\n\r\n"))
for what, head in {
    "another target": f"GET http://{other}/ HTTP/1.1\r\nHost: {there}\r\n\r\n",
    "another Host": f"GET http://{there}/ HTTP/1.1\r\nHost: {other}\r\n\r\n",
    "two Hosts": f"GET http://{there}/ HTTP/1.1\r\nHost: {there}\r\nHost: {other}\r\n\r\n",
    "a Host on two lines": f"GET http://{there}/ HTTP/1.1\r\nHost: {there}\r\n {other}\r\n\r\n",
    "a Host with a blank": f"GET http://{there}/ HTTP/1.1\r\nHost : {other}\r\n\r\n",
    "a user before": f"GET http://{there}@{other}/ HTTP/1.1\r\nHost: {there}\r\n\r\n",
    "a backslash": f"GET http://{other}\\@{there}/ HTTP/1.1\r\nHost: {there}\r\n\r\n",
    "an address inside": f"GET http://{INTERNAL[0]}:8081/ HTTP/1.1\r\nHost: {there}\r\n\r\n",
    "another scheme": f"GET gopher://{there}/ HTTP/1.1\r\nHost: {there}\r\n\r\n",
}.items():
    closed(what, lambda: fetch(head))
finish()
