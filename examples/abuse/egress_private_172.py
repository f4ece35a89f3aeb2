"""Goes to the private network 172.16.0.0/12, at both of its ends.

Tries: to reach hosts in 172.16.0.0/12.
Must: get no answer, from any port, by TCP or UDP.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import closed_hosts, must_be_open, within

must_be_open()
closed_hosts(within("172."))
finish()
