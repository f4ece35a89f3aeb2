"""Has the kernel kill any process but itself when memory runs out, then takes it all.

Tries: to have the guest or a neighbour killed in its place, by way of oom_score_adj.
Must: be refused a score below that of ordinary programs, and be killed at its limit of memory, whatever its score.

expect: KILLED MEMORY
"""

import os

from lib.attempt import attempt, write

for value in (-1000, -500, -1):
    attempt(f"oom_score_adj {value}", lambda: write("/proc/self/oom_score_adj", str(value).encode()))
try:
    write("/proc/self/oom_score_adj", b"0")
except PermissionError:
    pass
print("its score is", open("/proc/self/oom_score_adj").read().strip(), flush=True)
if int(open("/proc/self/oom_score_adj").read()) < 0:
    os._exit(1)
hoard = []
while True:
    hoard.append(bytearray(b"x") * (1 << 20))
