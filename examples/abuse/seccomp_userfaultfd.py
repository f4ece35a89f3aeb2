"""Opens userfaultfd, by the call and by the device.

Tries: to halt the kernel in the middle of its work, the lever of many exploits.
Must: be refused, and there is no such device.

expect: SUCCEEDED
"""

import errno
import os

from lib.attempt import attempt, call, finish

attempt("userfaultfd", lambda: call("userfaultfd", 0))
attempt("userfaultfd, user mode only", lambda: call("userfaultfd", 1))
attempt("/dev/userfaultfd", lambda: os.open("/dev/userfaultfd", os.O_RDWR), errno.ENOENT)
finish()
