"""Fetches pages from inside by URL, in spellings that clients and filters read differently.

Tries: to have a client of HTTP go where a socket may not.
Must: get no page.

egress: public
expect: SUCCEEDED
"""

from urllib.error import URLError
from urllib.request import urlopen

from lib.attempt import finish
from lib.outside import INTERNAL, all_closed, must_be_open

must_be_open()


def fetch(url):
    try:
        return urlopen(url, timeout=1).read(16)
    except (URLError, OSError, ValueError):
        return None


places = [f"http://{address}:8081/" for address in INTERNAL[:6]]
places += [f"ftp://{INTERNAL[0]}:8080/", f"http://user:word@{INTERNAL[0]}:8081/", f"http://{INTERNAL[0]}:8081/..;/"]
all_closed((url, lambda u=url: fetch(u)) for url in places)
finish()
