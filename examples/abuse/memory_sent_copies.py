"""Asks the kernel for copies of all datagrams that it sends, and fetches none of them.

Tries: to hold 1.5 GiB of the host's memory at a limit of 64 MiB, in queues of errors (SO_TIMESTAMPING), which no memory group
counts and no statistic of the kernel has.
Must: be killed for MEMORY: the node looks whose sockets hold what nobody is charged for.

limits: memory=64Mi disk=16Mi
expect: KILLED MEMORY
expect-gvisor: SUCCEEDED
"""

import socket
import time

from lib.attempt import OWN_KERNEL, check, fill_queues, finish

SENT, BY_SOFTWARE = 2, 16
sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sink.bind(("127.0.0.1", 0))


def sender():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, 37, SENT | BY_SOFTWARE)
    one.connect(sink.getsockname())
    return one


queued = 0 if OWN_KERNEL else fill_queues(sender, bytes(50000), 1536 << 20)
time.sleep(0 if OWN_KERNEL else 8)
check("the kernel holds less than was given", queued < 64 << 20)
finish()
