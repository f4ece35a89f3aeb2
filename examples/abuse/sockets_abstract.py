"""Connects to the abstract Unix sockets of container engines and desktops, and looks for any that there are.

Tries: to reach programs of the host whose sockets have no file, as with CVE-2020-15257.
Must: find none: abstract sockets belong to the network namespace, which is its own.

expect: SUCCEEDED
"""

import errno
import socket

from lib.attempt import attempt, check, finish

NAMES = ["/containerd-shim/moby/x/shim.sock@", "/tmp/.X11-unix/X0", "/com/ubuntu/upstart", "dbus", "@docker", "vivarium"]
for name in NAMES:
    attempt(f"connecting to @{name}", lambda: socket.socket(socket.AF_UNIX).connect("\0" + name), errno.ECONNREFUSED)
with open("/proc/net/unix") as table:
    there = [line.split()[7] for line in table.readlines()[1:] if len(line.split()) > 7]
check(f"there are no sockets with a name but {there}", not there)
finish()
