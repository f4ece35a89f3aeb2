"""Puts symbolic links where files were passed in and where a careless node would pass files out.

Tries: to have a program outside follow a link or a ".." to a file of the host.
Must: succeed: links end inside, whatever they name, and the node takes no file out by a path.

expect: SUCCEEDED
"""

import errno
import os
import sys

from lib.attempt import CANARY, OWN_KERNEL, attempt, check, finish

here = os.path.basename(sys.argv[0])
for name, target in (("up", "../../../../../proc/1/environ"), ("root", "/proc/1/root"), ("host", "/host"), ("self", "/proc/self/root/etc"),
                     ("loop", "loop"), ("guest", "/.vivarium/vivarium-init"), ("cwd", "/proc/1/cwd")):
    os.symlink(target, name)
if OWN_KERNEL:
    check("../ ends inside, and the environment of PID 1 holds no secret", not CANARY.search(open("up", "rb").read()))
else:
    attempt("following ../ to the environment of PID 1", lambda: open("up").read())
attempt("following /proc/1/root", lambda: os.listdir("root/"))
attempt("following /proc/1/cwd", lambda: os.listdir("cwd/"))
attempt("following a loop", lambda: open("loop").read(), errno.ELOOP)
attempt("writing through a link to the guest", lambda: open("guest", "ab"))
check("more .. than there are folders end at its own root", os.path.samefile("../../../../../../..", "/"))
os.unlink(here)
os.symlink("/etc/shadow", here)
os.rename("lib", "lib.old")
os.symlink("/proc/1", "lib")
finish()
