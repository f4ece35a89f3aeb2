"""Goes to the private network 10.0.0.0/8.

Tries: to reach a host in 10.0.0.0/8.
Must: get no answer, from any port, by TCP or UDP.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import closed_hosts, must_be_open, within

must_be_open()
closed_hosts(within("10."))
finish()
