"""An image that has a library loaded into every program, by /etc/ld.so.preload and by LD_PRELOAD.

Tries: to get code into the guest before its first line.
Must: succeed: the agent has the library, and the guest, which is static, has not; it still cannot be looked into.

image: ENV LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libm.so.6
image: ENV LD_LIBRARY_PATH=/workspace
image-file: /etc/ld.so.preload 0644 text /usr/lib/x86_64-linux-gnu/libdl.so.2
expect: SUCCEEDED
"""

import os

from lib.attempt import check, finish, look_into_guest

with open("/proc/self/maps") as maps:
    mapped = maps.read()
check("the libraries are in this process, so the try is real", "libm.so" in mapped and "libdl.so" in mapped)
look_into_guest("maps")
look_into_guest("environ")
check("the agent is no more than itself", os.getuid() == os.geteuid() != 0)
finish()
