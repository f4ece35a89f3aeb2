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


def opened(sync):
    """Seconds for opening and closing, and writing out in between."""
    begun = time.monotonic()
    for path in ("/", "/etc/hosts", "/workspace"):
        descriptor = os.open(path, os.O_RDONLY)
        if sync:
            os.sync()
            try:
                call("syncfs", descriptor)
            except OSError:
                pass
        os.close(descriptor)
    return time.monotonic() - begun


# Side by side, since a busy machine, and another kernel's files, take their time as well.
alone = waiting = count = 0
begun = time.monotonic()
while time.monotonic() - begun < 1 or count < 10:
    alone += opened(sync=False)
    waiting += opened(sync=True)
    count += 1
# gVisor's goes through all of its mounts, which takes ten times as long; a disk that others write to takes a hundred times.
most = (50 if OWN_KERNEL else 5) * alone + 0.2
check(f"{count} rounds wait for no disk: {waiting:.3f} s, {alone:.3f} s without", waiting < most)
finish()
