"""Has the machine write out all of its disks, again and again.

Tries: sync and syncfs, which make the kernel write out what the host and the neighbours have written, so that databases on
the host wait.
Must: succeed: both do nothing on the host's kernel (a bad descriptor is not even looked at), since a sandbox writes to memory.

expect: SUCCEEDED
"""

import errno
import os
import time

from lib.attempt import NUMBERS, OWN_KERNEL, call, check, finish

NUMBERS["sync"], NUMBERS["syncfs"] = (162, 81), (306, 267)
try:
    looked = call("syncfs", -1) != 0
except OSError as error:
    looked = error.errno == errno.EBADF and not OWN_KERNEL
check("syncfs does nothing", not looked)
begun, count = time.monotonic(), 0
while time.monotonic() - begun < 1:
    os.sync()
    for path in ("/", "/etc/hosts", "/workspace"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            call("syncfs", descriptor)
        except OSError:
            pass
        os.close(descriptor)
    count += 1
check(f"{count} rounds in a second wait for no disk", count > 50)
finish()
