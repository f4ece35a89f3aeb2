"""An image whose USER is root.

Tries: to run the agent as root.
Must: succeed as the user of this one sandbox: the image has no say in it.

image: USER root
expect: SUCCEEDED
"""

import os

from lib.attempt import attempt, check, finish

mine = os.getuid()
check(f"it is {os.getresuid()} and {os.getresgid()}", os.getresuid() == os.getresgid() == (mine, mine, mine))
check("no user of the machine has its number", mine >= 0x70000000)
check("it has no groups", os.getgroups() == [])
attempt("becoming root", lambda: os.setuid(0))
attempt("writing as root", lambda: open("/etc/passwd", "a"))
finish()
