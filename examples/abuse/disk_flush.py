"""Flushes by every other call than sync: ranges, mappings, descriptors, and writes that wait for the disk.

Tries: to have the host's disks written out by sync_file_range, msync, fsync, fdatasync, O_DSYNC and RWF_SYNC, on its own files
and on those of the image.
Must: succeed: its own files are in memory, and the image's cannot be written, so that nothing waits for a disk.

expect: SUCCEEDED
"""

import mmap
import os
import time

from lib.attempt import NUMBERS, call, check, finish

NUMBERS["sync_file_range"] = (277, 84)
own = os.open("own", os.O_CREAT | os.O_RDWR | os.O_DSYNC)
os.ftruncate(own, 1 << 16)
mapped = mmap.mmap(own, 1 << 16)
image = os.open("/etc/passwd", os.O_RDONLY)
begun, count = time.monotonic(), 0
while time.monotonic() - begun < 1:
    for descriptor in (own, image):
        for flush in (os.fsync, os.fdatasync, lambda one: call("sync_file_range", one, 0, 0, 7)):
            try:
                flush(descriptor)
            except OSError:
                pass
    mapped[count % (1 << 16)] = 1
    mapped.flush()
    os.pwrite(own, b"x", count % (1 << 16))
    try:
        os.pwritev(own, [b"x"], 0, os.RWF_SYNC)
    except OSError:
        pass
    count += 1
check(f"{count} rounds in a second wait for no disk", count > 20)
finish()
