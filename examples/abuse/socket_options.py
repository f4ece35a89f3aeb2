"""Sets options of sockets that put code or memory of the kernel behind them.

Tries: upper layer protocols (kernel TLS, TCP within TCP), packet filters, signatures, encapsulation, flow labels of the
whole machine, buffers beyond the machine's sizes, memory reserved without data, security policies, packet filter
tables, and options that switch code of the kernel on for everyone.
Must: succeed: each is refused, and options that programs set every day work.

expect: SUCCEEDED
"""

import ctypes
import errno
import socket
import struct

from lib.attempt import attempt, check, finish

listener = socket.create_server(("127.0.0.1", 0))
tcp = socket.create_connection(listener.getsockname())
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
code = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0xFFFF))
program = struct.pack("HxxxxxxQ", 1, ctypes.addressof(code))
for what, sock, level, option, value in (
    ("kernel TLS", tcp, 6, 31, b"tls"), ("another upper layer", tcp, 6, 31, b"espintcp"), ("TLS itself", tcp, 282, 1, bytes(40)),
    ("MPTCP's options", tcp, 284, 1, bytes(8)), ("an MD5 key", tcp, 6, 14, bytes(216)), ("an MD5 key for a network", tcp, 6, 32, bytes(216)),
    ("an authentication key", tcp, 6, 38, bytes(200)), ("repair", tcp, 6, 19, 1), ("a packet filter", udp, 1, 26, program),
    ("a packet filter for a group", udp, 1, 51, program), ("a program of BPF", udp, 1, 50, 3), ("the lock of a filter", udp, 1, 44, 1),
    ("a forced receive buffer", udp, 1, 33, 1 << 20), ("a forced send buffer", udp, 1, 32, 1 << 20), ("pinned pages", tcp, 1, 60, 1),
    ("encapsulation in UDP", udp, 17, 100, 2), ("a security policy", udp, 0, 17, bytes(168)), ("a packet filter's table", udp, 0, 64, bytes(96)),
    ("a flow label of the machine", six, 41, 32, bytes(32)), ("a group of IPv6", six, 41, 20, bytes(20)), ("IPv6 options of its own", six, 41, 59, bytes(8)),
    ("a list of sources", udp, 0, 41, bytes(16)), ("reserved memory", tcp, 1, 73, 1 << 20), ("delays of TCP", tcp, 6, 37, 1000),
    ("UDP's datagrams together", udp, 17, 104, 1), ("a least time to live", tcp, 0, 21, 1), ("a least hop count", six, 41, 73, 1),
):
    attempt(what, lambda: sock.setsockopt(level, option, value), errno.ENOPROTOOPT)
for level, option, value in ((1, 2, 1), (1, 7, 65536), (1, 8, 65536), (1, 9, 1), (1, 13, struct.pack("ii", 0, 0)), (1, 20, struct.pack("qq", 5, 0)),
                             (6, 1, 1), (6, 4, 60), (6, 5, 10), (6, 6, 3), (6, 18, 30000), (0, 1, 16), (0, 2, 64)):
    try:
        tcp.setsockopt(level, option, value)
        check(f"option {option} of level {level} works", True)
    except OSError as error:
        check(f"option {option} of level {level} works ({error})", False)
finish()
