"""Tells the kernel to kill anybody but itself when memory ends, then takes it all.

Tries: to have the guest killed in its place, by way of oom_score_adj.
Must: be refused a lower score than its sandbox has, and be killed at its limit of memory.

expect: KILLED MEMORY
"""

import os

for value in ("-1000", "-1", "0", "499"):
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(value)
        print("ESCAPED: oom_score_adj is", value, flush=True)
        os._exit(1)
    except PermissionError:
        print("held: oom_score_adj stays", open("/proc/self/oom_score_adj").read().strip(), flush=True)
hoard = []
while True:
    hoard.append(bytearray(b"x") * (1 << 20))
