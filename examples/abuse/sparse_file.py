"""Makes a sparse file of a TiB, then another that is allocated and not written.

Tries: to have a size believed that is not there, and to reserve space without writing.
Must: be killed at its limit of disk for what it allocates; the hole costs nothing.

expect: KILLED DISK
"""

import os

with open("/workspace/hole", "wb") as file:
    os.truncate(file.fileno(), 1 << 40)
    file.seek((1 << 40) - 1)
    file.write(b"x")
print("the hole is there", os.stat("/workspace/hole").st_blocks, "blocks", flush=True)
with open("/workspace/solid", "wb") as file:
    size = 1 << 20
    while True:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
            size += 1 << 20
        except OSError:
            size = 1 << 20
            os.write(file.fileno(), bytes(1 << 16))
