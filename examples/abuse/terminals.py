"""Types into terminals: its streams, /dev/tty, /dev/console and every pseudo terminal, by TIOCSTI and TIOCLINUX.

Tries: to put commands into the input of the user that started it.
Must: find no terminal but those that it made itself.

expect: SUCCEEDED
"""

import errno
import fcntl
import os

from lib.attempt import attempt, check, finish

TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSCTTY = 0x5412, 0x541C, 0x541D, 0x540E
NO_TERMINAL = (errno.ENOTTY, errno.ENXIO, errno.ENOENT, errno.EIO)
for stream in (0, 1, 2):
    for name, request in (("TIOCSTI", TIOCSTI), ("TIOCLINUX", TIOCLINUX), ("TIOCCONS", TIOCCONS), ("TIOCSCTTY", TIOCSCTTY)):
        attempt(f"{name} on stream {stream}", lambda: fcntl.ioctl(stream, request, b"\n" + bytes(7)), *NO_TERMINAL)
for path in ("/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/pts/0", "/dev/pts/1"):
    attempt(f"opening {path}", lambda: os.open(path, os.O_RDWR | os.O_NOCTTY), *NO_TERMINAL)
check("no terminal is there before it makes one", os.listdir("/dev/pts") in ([], ["ptmx"]))
finish()
