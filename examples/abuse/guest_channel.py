"""Looks for the guest's channel to the node: through /proc/1/fd, and by guessing descriptors of its own.

Tries: to speak to the node in the guest's name.
Must: find no way to the channel; nothing is open but its own three streams.

expect: SUCCEEDED
"""

import errno
import os
import stat

from lib.attempt import attempt, check, finish

# A kernel of the sandbox's own opens whatever lies in /proc/1/fd by its owner: there the agent finds the pipes that it has
# anyway, as its streams, and nothing else.
mine = {(os.fstat(number).st_dev, os.fstat(number).st_ino) for number in range(3)}


def open_another(path, mode):
    opened = os.open(path, mode)
    found = os.fstat(opened)
    os.close(opened)
    if (found.st_dev, found.st_ino) in mine:
        raise PermissionError(errno.EACCES, f"{path} is a stream of its own")


for number in range(64):
    for mode in (os.O_RDONLY, os.O_WRONLY):
        attempt(f"opening /proc/1/fd/{number}", lambda: open_another(f"/proc/1/fd/{number}", mode | os.O_NONBLOCK))
extra = []
for number in range(3, 4096):
    try:
        os.fstat(number)
        extra.append(number)
    except OSError:
        pass
check(f"no descriptor was inherited, {extra or 'none'} is open", not extra)
check("stdin is at its end", os.read(0, 1) == b"")
check("stdout and stderr are pipes of its own", all(stat.S_ISFIFO(os.fstat(number).st_mode) for number in (1, 2)))
mine = {os.stat(f"/proc/self/fd/{number}").st_ino for number in (1, 2)}
check("they are two pipes", len(mine) == 2)
finish()
