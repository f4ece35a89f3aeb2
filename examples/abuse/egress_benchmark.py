"""Goes to the range for benchmarks, where the links of sandboxes are cut from.

Tries: to reach a host in 198.18.0.0/15.
Must: get no answer, from any port, by TCP or UDP.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import closed_hosts, must_be_open, within

must_be_open()
closed_hosts(within("198.19."))
finish()
