"""Prints one line that never ends.

Tries: to make a reader wait for its end, with all of it in memory.
Must: be killed at its limit of output.

limits: output=1Mi
expect: KILLED OUTPUT
"""

import os

while True:
    os.write(1, b"no end " * 9_000)
