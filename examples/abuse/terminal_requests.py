"""Types into terminals, swaps their line disciplines and takes the console.

Tries: TIOCSTI, TIOCSETD, TIOCLINUX and TIOCCONS on a terminal of its own and on its input, also with bits that the kernel
does not look at, so that a filter which compares all of them is passed by.
Must: succeed: all are refused, and a terminal's usual requests work.

expect: SUCCEEDED
"""

import ctypes
import fcntl
import os
import struct
import termios

from lib.attempt import NUMBERS, attempt, call, check, finish

NUMBERS["ioctl"] = (16, 29)
main, end = os.openpty()
argument = ctypes.create_string_buffer(struct.pack("i", 2) + bytes(60))
REQUESTS = {"TIOCSTI": 0x5412, "TIOCLINUX": 0x541C, "TIOCCONS": 0x541D}
for name, request in REQUESTS.items():
    for high in (0, 1 << 32, 0xFFFFFFFF << 32):
        attempt(f"{name} with {high:#x}", lambda: call("ioctl", end, high | request, ctypes.addressof(argument)))
for discipline in (1, 2, 3, 5, 13, 15, 16, 18, 20, 21, 23, 26, 27):
    argument.raw = struct.pack("i", discipline) + bytes(60)
    for high in (0, 1 << 32):
        attempt(f"line discipline {discipline} with {high:#x}", lambda: call("ioctl", end, high | 0x5423, ctypes.addressof(argument)))
size = struct.pack("HHHH", 40, 100, 0, 0)
fcntl.ioctl(main, termios.TIOCSWINSZ, size)
check("a terminal has a size", fcntl.ioctl(end, termios.TIOCGWINSZ, bytes(8)) == size)
check("a terminal is one", os.isatty(end) and termios.tcgetattr(end)[3] & termios.ECHO)
finish()
