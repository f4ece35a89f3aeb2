"""Prints sequences that control the reader's terminal: title, clipboard, answers, cursor, bells, other charsets.

Tries: to act on the reader's terminal: to set its clipboard and title, have it answer as if typed, and hide lines.
Must: succeed; the bytes are kept as printed, and every command of ours that shows them on a terminal makes them visible.

expect: SUCCEEDED
"""

import os

SEQUENCES = [
    b"\x1b]0;title\x07", b"\x1b]52;c;cm0gLXJmIH4=\x07", b"\x1b]8;;file:///etc/passwd\x07link\x1b]8;;\x07", b"\x1b[c",
    b"\x1b[6n", b"\x1b[?1049h", b"\x1b[2J\x1b[H", b"\x1b[8m hidden \x1b[0m", b"\x1bP$q\"p\x1b\\", b"\x1b[21t", b"\x9b2J",
    b"\x9d0;c1\x9c", b"\x1bc", b"\x1b(0", b"\x0e", b"\x07" * 100, b"safe\rfake", b"\x08" * 100, b"\x1b[3g",
    "\u202e\u2066".encode(), b"\xc2\x9b2J", b"\xf0\x9f\x98", b"\x00", b"\x7f", b"\x1b]1337;SetMark\x07", b"\x1b_G\x1b\\",
]
for sequence in SEQUENCES:
    os.write(1, sequence + b"\n")
    os.write(2, sequence + b"\n")
os.write(1, b"all were printed\n")
