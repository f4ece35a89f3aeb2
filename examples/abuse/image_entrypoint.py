"""An image with an ENTRYPOINT, a CMD and a SHELL of its own, which would run as PID 1.

Tries: to run in the guest's place.
Must: succeed: PID 1 is the guest, and the command is what the run says.

image: ENTRYPOINT ["/bin/sh", "-c", "sleep 600"]
image: CMD ["/bin/sh", "-c", "echo mine"]
image: WORKDIR /no/such/folder
expect: SUCCEEDED
"""

import os

from lib.attempt import check, finish, look_into_guest, read

check("this is what the run says", read("/proc/self/cmdline").startswith(b"python3"))
check("it is in its workspace", os.getcwd() == "/workspace")
check("PID 1 is the guest", read("/proc/1/comm") == b"vivarium-init\n")
look_into_guest("environ")
finish()
