"""Listens on every address, and waits for somebody from inside to come.

Tries: to be a door for whoever is outside.
Must: be reached by nobody: its neighbours find no way to it.

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
check("nobody came in 5 s", not select.select([*doors, letters], [], [], 5)[0])
finish()
