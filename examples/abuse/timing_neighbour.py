"""Measures how long its own work takes, to tell from the waits when a neighbour works.

Tries: to learn from timing what others do. On processors that are shared this cannot be prevented, only made coarse.
Must: succeed; what it saw is for the report.

limits: cpu=500m
expect: SUCCEEDED
"""

import statistics
import time

times = []
until = time.monotonic() + 1
while time.monotonic() < until:
    began = time.perf_counter()
    for _ in range(2_000):
        pass
    times.append((time.perf_counter() - began) * 1e6)
times.sort()
print(f"{len(times)} rounds; microseconds: median {statistics.median(times):.0f}, p99 {times[len(times) * 99 // 100]:.0f}, most {times[-1]:.0f}")
