"""Sends to loopback addresses through the link, where they would be those of the node.

Tries: to reach what listens on the loopback of the node.
Must: get no answer.

egress: public
expect: SUCCEEDED
"""

import socket
import threading

from lib.attempt import finish
from lib.outside import all_closed, must_be_open, tcp

must_be_open()


def by_link(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")


def own(port):
    """Answers on its own loopback, so that it is not taken for another's; gVisor knows no other way there."""
    server = socket.create_server(("0.0.0.0", port))
    while True:
        with server.accept()[0] as peer:
            peer.sendall(b"own")


def another(answer):
    return None if answer in (b"own", None) else answer


PORTS = (2375, 5432, 8080, 9042)
for port in PORTS:
    threading.Thread(target=own, args=(port,), daemon=True).start()
    while tcp("127.0.0.1", port) != b"own":
        pass
tries = [(f"tcp {a}:{p}", lambda a=a, p=p: another(tcp(a, p, prepare=by_link))) for a in ("127.0.0.1", "127.9.9.9") for p in PORTS]
all_closed(tries)
finish()
