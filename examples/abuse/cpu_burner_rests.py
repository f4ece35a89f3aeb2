"""Computes in bursts between sleeps, so that a look now and then finds it asleep.

Tries: to use processor time that is not counted.
Must: be killed when its processor time is used up, for the kernel counts all of it.

limits: cpu=1 cpuTime=500ms
expect: KILLED CPU_TIME
"""

import time

while True:
    until = time.monotonic() + 0.02
    while time.monotonic() < until:
        pass
    time.sleep(0.02)
