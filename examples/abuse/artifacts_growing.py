"""Ends while a daemon goes on writing to the files that are kept.

Tries: to have a file read while it grows, is cut and is exchanged for another one, so that what is kept was never there.
Must: succeed: files are read when no process is left, and none has changed meanwhile.

artifacts: growing cut exchanged
kept: cut exchanged growing
expect: SUCCEEDED
"""

import os
import time

block = bytes(1024)
open("exchanged", "wb").close()
if os.fork() == 0:
    os.setsid()
    with open("growing", "ab", buffering=0) as growing, open("cut", "ab", buffering=0) as cut:
        for number in range(1 << 20):
            if number % 1000 == 0:
                growing.truncate(0)
            growing.write(block)
            cut.write(block)
            cut.truncate(0)
            with open("other", "wb") as other:
                other.write(block)
            os.rename("other", "exchanged")
time.sleep(0.3)
