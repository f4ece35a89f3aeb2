"""An agent that crashes in the middle of a browser session.

It opens a page in Chromium, keeps a session and a profile, and then fails on something that it did not expect, without
closing what it opened: Chromium's processes, its driver, a profile on disk, sockets.

What must happen: FAILED with exit code 1, and nothing left of the browser.
"""

import os

from browsing import browser, serve

PAGE = b"<!doctype html><title>Sign in</title><form><input name=user><button>Go on</button></form>"


def main():
    with serve(PAGE) as address:
        chromium = browser()
        chromium.get(address)
        chromium.find_element("name", "user").send_keys("agent")
        processes = [name for name in os.listdir("/proc") if name.isdigit()]
        print(f"Signed in on {chromium.title}; {len(processes)} processes are running", flush=True)
        # The page has no such button, and nothing here expects that.
        chromium.find_element("name", "confirm").click()


if __name__ == "__main__":
    main()
