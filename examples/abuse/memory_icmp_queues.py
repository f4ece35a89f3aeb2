"""Pings itself and reads none of the answers, so that they lie in the kernel.

Tries: to hold 192 MiB of the host's memory at a limit of 64 MiB, in the receive queues of ICMP echo sockets, which no memory
group counts.
Must: be killed for MEMORY: the node counts those queues.

expect: KILLED MEMORY
expect-gvisor: SUCCEEDED
"""

import socket
import struct
import time

from lib.attempt import check, fill_queues, finish


def ping():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    one.connect(("127.0.0.1", 0))
    return one


queued = fill_queues(ping, struct.pack("BBHHH", 8, 0, 0, 0, 1) + bytes(1400), 192 << 20)
time.sleep(3)
check("the kernel holds less than was given", queued < 64 << 20)
finish()
