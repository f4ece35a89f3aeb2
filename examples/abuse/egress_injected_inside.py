"""Looks for a secret that the gateway adds to its requests, in everything that it can read.

Tries: to find it in environments, files, memory, descriptors, and in what the gateway and the resolver answer.
Must: find it nowhere: it never comes into the sandbox.

egress: allowlist secure.vivarium.example.com:443,8081 www.vivarium.example.com:80,443,8080,8081
    other.vivarium.example.com:8081 rebound.vivarium.example.com:443
inject: secure.vivarium.example.com Authorization
expect: SUCCEEDED
"""

import os
import re

from lib.attempt import CANARY, check, finish
from lib.outside import LISTED, SECURE, addresses_of, ask, ask_secure, must_bring_the_secret, through_proxy


def mapped():
    """The memory of this process, but for this very program's text."""
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
        for line in maps:
            begin, end, mode = re.match("([0-9a-f]+)-([0-9a-f]+) (....)", line).groups()
            if mode[0] == "r" and "[v" not in line:
                try:
                    memory.seek(int(begin, 16))
                    yield memory.read(int(end, 16) - int(begin, 16))
                except (OSError, ValueError, OverflowError):
                    continue


def readable(folder, names=None):
    for at, _, files in os.walk(folder):
        for name in files:
            if names is None or name in names:
                try:
                    with open(os.path.join(at, name), "rb") as file:
                        yield file.read(1 << 20)
                except OSError:
                    continue


must_bring_the_secret()
names = ("environ", "cmdline", "maps", "status", "mountinfo", "comm", "auxv")
check("environment", not CANARY.search(repr(dict(os.environ)).encode()) and "INJECTED" not in os.environ)
check("processes", not any(CANARY.search(text) for text in readable("/proc", names)))
for folder in ("/workspace", "/tmp", "/run", "/etc", "/dev/shm", "/var"):
    check(f"files in {folder}", not any(CANARY.search(text) for text in readable(folder)))
answers = [
    ask_secure(path) or b""
    for path in ("/", "/redirect", "/?", "/%0d%0a", "/authorization")
] + [
    through_proxy(f"{method} http://{SECURE}/ HTTP/1.1\r\nHost: {SECURE}\r\nConnection: close\r\n\r\n".encode())
    for method in ("OPTIONS", "HEAD", "TRACE", "DEBUG", "PRI")
] + [
    through_proxy(head)
    for head in (
        b"GET / HTTP/1.1\r\nHost: " + SECURE.encode() + b"\r\n\r\n",
        b"GET http://" + SECURE.encode() + b"/ HTTP/1.0\r\n\r\n",
        b"GET http://" + SECURE.encode() + b"/" + b"a" * 40000 + b" HTTP/1.1\r\n\r\n",
        b"\0" * 64,
    )
]
check("what the gateway answers", not any(CANARY.search(answer) for answer in answers))
check("what the resolver answers", not CANARY.search(repr([addresses_of(SECURE), ask(SECURE, 16), ask(LISTED, 255)]).encode()))
check("memory", not any(CANARY.search(part) for part in mapped()))
finish()
