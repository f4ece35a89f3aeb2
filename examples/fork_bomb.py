"""An agent that hires helpers, which hire helpers.

Every process starts two more and goes on, and when the kernel refuses it tries again. Without a limit this takes a
machine down in a second.

What must happen: KILLED with reason PIDS, and the machine does not notice.
"""

import os
import time


def main():
    print("Hiring helpers.", flush=True)
    while True:
        try:
            if os.fork() == 0:
                continue
        except OSError:
            time.sleep(0.01)
        time.sleep(0.02)


if __name__ == "__main__":
    main()
