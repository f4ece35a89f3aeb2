"""Takes inotify instances and watches until it may not.

Tries: to use up what all of the machine's programs with the same user have in common.
Must: be refused at a limit, and its memory is its own; then succeed.

limits: memory=64Mi
expect: SUCCEEDED
"""

import ctypes
import errno
import os

from lib.attempt import check, finish

libc = ctypes.CDLL(None, use_errno=True)
instances = []
while (instance := libc.inotify_init1(0)) >= 0:
    instances.append(instance)
why = ctypes.get_errno()
check(f"{len(instances)} instances, then {errno.errorcode[why]}", why == errno.EMFILE and len(instances) < 5000)
for number in range(500):
    os.mkdir(f"/tmp/{number}")
watches = sum(libc.inotify_add_watch(instances[0], f"/tmp/{number}".encode(), 0xFFF) > 0 for number in range(500))
check(f"{watches} watches are its own affair", watches > 0)
finish()
