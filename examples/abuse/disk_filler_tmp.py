"""Fills /tmp, by files that it has deleted.

Tries: to store what no listing shows.
Must: be killed at its limit of disk.

expect: KILLED DISK
"""

import tempfile

hoard = []
while True:
    try:
        file = tempfile.TemporaryFile(dir="/tmp", buffering=0)
        file.write(bytes(1 << 18))
        hoard.append(file)
    except OSError:
        pass
