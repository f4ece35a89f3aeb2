"""Listens on every address, and waits for connections from internal hosts.

Tries: to become an entrance for attackers outside.
Must: be reached by no host, not even by its neighbours.

egress: public
expect: SUCCEEDED
"""

import select
import socket

from lib.attempt import check, finish
from lib.outside import must_be_open

must_be_open()
doors = [socket.create_server(("0.0.0.0", port)) for port in (2222, 8080, 8081, 9999)]
letters = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
letters.bind(("0.0.0.0", 9999))
check("no connection in 5 s", not select.select([*doors, letters], [], [], 5)[0])
finish()
