"""Goes to the private network 192.168.0.0/16.

Tries: to reach a host in 192.168.0.0/16.
Must: get no answer, from any port, by TCP or UDP.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import closed_hosts, must_be_open, within

must_be_open()
closed_hosts(within("192.168."))
finish()
