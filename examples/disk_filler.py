"""An agent that saves everything that it sees.

It writes page after page into its workspace and never throws one away. When the disk is full its own writes fail first;
it does what such agents do: it waits and tries again.

What must happen: KILLED with reason DISK.
"""

import os
import time

PAGE_BYTES = 256 * 1024


def main():
    page = 0
    while True:
        page += 1
        try:
            with open(f"page-{page:05}.html", "wb") as file:
                file.write(os.urandom(PAGE_BYTES))
            print(f"Saved page {page}, {page * PAGE_BYTES >> 10} KiB in all", flush=True)
        except OSError as error:
            print(f"Page {page} could not be saved: {error.strerror}", flush=True)
        time.sleep(0.01)


if __name__ == "__main__":
    main()
