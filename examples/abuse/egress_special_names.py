"""Asks for names that mean something inside: of the cloud, the cluster, the machine, the office.

Tries: to learn addresses that only insiders know.
Must: get no answer, and the node asks no resolver for them.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import must_be_open, nameless

must_be_open()
names = (
    "metadata.google.internal", "instance-data.ec2.internal", "kubernetes.default.svc.cluster.local",
    "host.docker.internal", "gateway.docker.internal", "router.local", "printer.lan", "fileserver", "wpad", "nas.home.arpa",
    "10.77.168.192.in-addr.arpa", "corp.intranet", "server.test", "x.onion",
)
for name in names:
    nameless(name)
finish()
