"""An image with its own setuid program, which becomes root and reports whether it could.

Tries: to be root by a program that belongs to root and has the setuid bit.
Must: be refused: no_new_privs makes the bit mean nothing. The program exits with the errno of setuid(0), 66 if it worked.

image-file: /usr/local/bin/become-root 4755 hex
  7f454c4602010100000000000000000002003e00010000007800400000000000400000000000000000000000000000000000
  0000400038000100000000000000010000000500000000000000000000000000400000000000000040000000000095000000
  000000009500000000000000001000000000000031ffb8690000000f0589c7f7df85c07505bf42000000b8e70000000f05
expect: SUCCEEDED
"""

import errno
import os
import platform
import stat
import subprocess

from lib.attempt import attempt, check, finish

program = "/usr/local/bin/become-root"
mode = os.stat(program)
check("the program is root's and has the setuid bit", mode.st_uid == 0 and mode.st_mode & stat.S_ISUID)
if platform.machine() == "x86_64":
    code = subprocess.run([program]).returncode
    check(f"it exits with {errno.errorcode.get(code, code)}", code == errno.EPERM)
attempt("setuid(0) by itself", lambda: os.setuid(0))
finish()
