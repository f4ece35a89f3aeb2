"""Makes files with the longest names there are, and with names that are traps: line ends, escapes, invalid UTF-8, options.

Tries: to break programs that list, log or clean up.
Must: succeed; names that are too long are refused, and the others never leave the sandbox.

expect: SUCCEEDED
"""

import errno
import os

from lib.attempt import attempt, check, finish

names = [b"-rf", b"\n", b"\x1b]0;mine\x07", b"\xff\xfe", b"$(reboot)", b"'; --", b" ", b"x" * 255, "\u202e".encode(), b"a\\..\\b"]
for name in names:
    os.close(os.open(b"/workspace/" + name, os.O_CREAT | os.O_WRONLY))
check("all were made", set(names) <= set(os.listdir(b"/workspace")))
attempt("a name of 256 bytes", lambda: open("/workspace/" + "x" * 256, "w"), errno.ENAMETOOLONG)
attempt("a path of 5000 bytes", lambda: open("/workspace/" + "x/" * 2500 + "x", "w"), errno.ENAMETOOLONG)
finish()
