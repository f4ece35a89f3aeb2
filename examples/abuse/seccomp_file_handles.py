"""Opens files by handles instead of names, the way out of the shocker exploit.

Tries: to open files of the host by guessing their inode.
Must: be refused.

expect: SUCCEEDED
"""

import ctypes
import os

from lib.attempt import attempt, call, finish

handle = (ctypes.c_uint32 * 6)(8, 1, 2, 0, 0, 0)
for path in ("/", "/workspace", "/.vivarium"):
    mount = os.open(path, os.O_RDONLY) if path != "/.vivarium" else os.open("/.vivarium", os.O_PATH)
    attempt(f"open_by_handle_at under {path}", lambda: call("open_by_handle_at", mount, handle, os.O_RDONLY))
finish()
