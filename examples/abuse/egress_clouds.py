"""Goes to addresses that look public and are inside: what large clouds give to services of their own.

Tries: the agent of Azure's machines, and the range that Google's Kubernetes has for services by default.
Must: get no answer.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import closed_hosts, must_be_open, within

must_be_open()
closed_hosts(within("168.63.129.16", "34.118.224."))
finish()
