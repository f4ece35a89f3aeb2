"""An image with a HEALTHCHECK, which the engine would run as root in the sandbox ten times a second.

Tries: to have the engine start processes that neither the node nor the guest knows of.
Must: succeed: no check is ever run.

image: HEALTHCHECK --interval=100ms --retries=1 CMD touch /dev/shm/checked; sleep 60
expect: SUCCEEDED
"""

import os
import time

from lib.attempt import check, finish

time.sleep(1)
check("no check has been run", not os.path.exists("/dev/shm/checked"))
check("there are no processes but the guest and itself", sorted(int(name) for name in os.listdir("/proc") if name.isdigit()) == [1, os.getpid()])
finish()
