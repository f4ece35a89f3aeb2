"""Asks the kernel about its network and reads none of the answers, so that they lie in the kernel.

Tries: to hold 192 MiB of the host's memory at a limit of 64 MiB, in the receive queues of netlink sockets, which no memory
group counts.
Must: be killed for MEMORY: the node counts those queues.

expect: KILLED MEMORY
expect-gvisor: KILLED MEMORY or SUCCEEDED or KILLED WALL_CLOCK
"""

import socket
import struct
import time

from lib.attempt import check, fill_queues, finish


def netlink():
    one = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    one.bind((0, 0))
    return one


request = struct.pack("=IHHII", 32, 18, 1 | 4, 1, 0) + struct.pack("=BBHiII", 0, 0, 0, 1, 0, 0)  # RTM_GETLINK of the loopback
queued = fill_queues(netlink, request, 192 << 20)
time.sleep(3)
check("the kernel holds less than was given", queued < 64 << 20)
finish()
