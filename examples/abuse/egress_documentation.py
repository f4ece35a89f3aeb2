"""Goes to ranges that are kept for documentation, which some use inside all the same.

Tries: to reach hosts in 192.0.2.0/24, 198.51.100.0/24 and 203.0.113.0/24.
Must: get no answer, from any port, by TCP or UDP.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import closed_hosts, must_be_open, within

must_be_open()
closed_hosts(within("192.0.2.", "198.51.", "203."))
finish()
