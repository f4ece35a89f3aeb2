"""Goes to ranges that are reserved: for protocols, for relays, for the future.

Tries: to reach hosts in 192.0.0.0/24, 192.88.99.0/24 and 240.0.0.0/4.
Must: get no answer, from any port, by TCP or UDP.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import closed_hosts, must_be_open, within

must_be_open()
closed_hosts(within("192.0.0.", "192.88.", "240."))
finish()
