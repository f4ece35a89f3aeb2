"""Leaves pipes, sockets and files without rights where files are to be kept.

Tries: to have whoever reads them wait for ever, for a writer that never comes, or to stumble over what may not be read.
Must: succeed: what is no file, or may not be read, is left out at once.

artifacts: out/** closed/file
left-out: NO_FILE UNREADABLE
expect: SUCCEEDED
"""

import os
import socket

os.mkdir("out")
os.mkfifo("out/pipe")
listener = socket.socket(socket.AF_UNIX)
listener.bind("out/socket")
for name in ("out/file", "out/folder/file", "closed/file"):
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "w") as file:
        file.write("x")
    os.chmod(name, 0)
os.chmod("out/folder", 0)
os.chmod("closed", 0)
