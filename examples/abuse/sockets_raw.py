"""Opens raw and packet sockets.

Tries: to forge packets and to listen to those of others.
Must: be refused.

expect: SUCCEEDED
"""

import socket

from lib.attempt import attempt, finish

for protocol in (1, 6, 17, 255):
    attempt(f"raw IPv4, protocol {protocol}", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol))
    attempt(f"raw IPv6, protocol {protocol}", lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, protocol))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x300))
attempt("packet datagram", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0x300))
finish()
