"""Leaves thousands of files, in a folder and in a deep tree of them, that a pattern takes all of.

Tries: to have more names listed, read and stored than there is room for, in the node's memory and in the run's history.
Must: succeed: at most a thousand are kept, as many as the time for it allows, and the others are left out and counted.

limits: files=8192
artifacts: ** */* **/x*
kept: *
left-out: TOO_MANY or OUT_OF_TIME or TOO_MANY OUT_OF_TIME
expect: SUCCEEDED
"""

import os

os.mkdir("wide")
for number in range(2000):
    os.close(os.open(f"wide/x{number}", os.O_CREAT | os.O_WRONLY))
os.mkdir("deep")
os.chdir("deep")
for number in range(100):
    os.close(os.open(f"x{number}", os.O_CREAT | os.O_WRONLY))
    os.mkdir("d")
    os.chdir("d")
