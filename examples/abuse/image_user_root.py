"""An image whose USER is root.

Tries: to run the agent as root.
Must: succeed as uid 10001: the image has no say in it.

image: USER root
expect: SUCCEEDED
"""

import os

from lib.attempt import attempt, check, finish

check(f"it is {os.getresuid()} and {os.getresgid()}", os.getresuid() == os.getresgid() == (10001, 10001, 10001))
check("it has no groups", os.getgroups() == [])
attempt("becoming root", lambda: os.setuid(0))
attempt("writing as root", lambda: open("/etc/passwd", "a"))
finish()
