"""Opens more connections to the gateway than one sandbox may have.

Tries: to keep others from it.
Must: be refused the rest, and have its way again when it has let go.

egress: allowlist www.vivarium.example.com:80,443,8080,8081 rebound.vivarium.example.com:8080
expect: SUCCEEDED
"""

import socket
import time

from lib.attempt import check, finish
from lib.outside import must_be_open, resolver

must_be_open("allowlist")
socks = []
for _ in range(200):
    socks.append(socket.create_connection((resolver(), 3128), 5))
time.sleep(1)


def is_open(sock):
    sock.setblocking(False)
    try:
        return len(sock.recv(1)) > 0
    except BlockingIOError:
        return True
    except OSError:
        return False


taken = sum(is_open(sock) for sock in socks)
check(f"of 200 connections {taken} were taken", 0 < taken <= 64)
for sock in socks:
    sock.close()
time.sleep(1)
must_be_open("allowlist")
finish()
