"""Opens files until it may not, in many processes at once, and epoll, eventfd and timer descriptors too.

Tries: to use up the machine's open files.
Must: be refused at its own limit of descriptors, in each process, and then succeed.

limits: pids=16
expect: SUCCEEDED
"""

import errno
import os
import select
import time

from lib.attempt import attempt, check, finish


def exhaust():
    count = 0
    try:
        while True:
            os.open("/dev/null", os.O_RDONLY)
            count += 1
    except OSError as error:
        return count, error.errno


children = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        exhaust()
        time.sleep(0.5)
        os._exit(0)
    children.append(child)
count, why = exhaust()
check(f"{count} descriptors, then {errno.errorcode[why]}", why == errno.EMFILE and count < 100_000)
attempt("epoll beyond it", lambda: select.epoll(), errno.EMFILE)
attempt("a pipe beyond it", os.pipe, errno.EMFILE)
for child in children:
    os.waitpid(child, 0)
finish()
