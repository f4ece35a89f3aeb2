"""Five hundred processes that end at once, each an orphan that PID 1 must reap.

Tries: to drown the guest in ends of children that it has never heard of.
Must: succeed: never many at once is within the limits, and the guest keeps up.

limits: pids=32 wallClock=60s cpu=1
expect: SUCCEEDED
"""

import os
import time

from lib.attempt import finish, held

left = 500
while left:
    try:
        child = os.fork()
    except BlockingIOError:
        # Would end the run: it is for us to be slow enough.
        raise SystemExit("the guest did not keep up")
    if child == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.waitpid(child, 0)
    left -= 1
    while len([name for name in os.listdir("/proc") if name.isdigit()]) > 16:
        time.sleep(0.001)
held("500 orphans were reaped")
finish()
