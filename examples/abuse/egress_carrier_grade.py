"""Goes to the network between a provider and its customers, 100.64.0.0/10.

Tries: to reach hosts in 100.64.0.0/10, at both of its ends.
Must: get no answer, from any port, by TCP or UDP.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import closed_hosts, must_be_open, within

must_be_open()
closed_hosts(within("100."))
finish()
