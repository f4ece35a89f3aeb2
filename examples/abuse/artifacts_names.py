"""Gives files that are kept names that are traps: no UTF-8, line ends, escapes, the longest there are.

Tries: to break the node, the history, the list or whoever fetches the files, by their names alone.
Must: succeed: names that are no UTF-8 are left out, and the others are kept as they are.

artifacts: names/*
kept: *
left-out: NAME_NOT_UTF8
expect: SUCCEEDED
"""

import os

os.mkdir("names")
for name in (
    b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"cut\xc3", b"line\nend", b"\x1b]0;mine\x07", b"..\\..\\up", b"-rf", b" ", b"%2e%2e%2f",
    b"x" * 255, "\u202egpj.exe".encode(), "ä".encode() * 127, b"\"',;&?#", b"CON", b"a:b",
):
    with open(b"names/" + name, "wb") as file:
        file.write(b"x")
