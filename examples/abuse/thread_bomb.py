"""Starts threads without end, which do nothing but stay.

Tries: to get round a limit on processes with threads.
Must: be killed at its limit of processes, which counts threads too.

limits: pids=40
expect: KILLED PIDS
"""

import threading

threading.stack_size(64 * 1024)
stay = threading.Event()
while True:
    try:
        threading.Thread(target=stay.wait, daemon=True).start()
    except RuntimeError:
        pass
