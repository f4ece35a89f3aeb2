"""Computes on as many processes as there are processors, and more.

Tries: to take all processors from all others.
Must: get its share and no more, and be killed when its processor time is used up.

limits: cpu=500m cpuTime=1s
expect: KILLED CPU_TIME
"""

import os

for _ in range(2 * os.cpu_count()):
    if os.fork() == 0:
        break
while True:
    pass
