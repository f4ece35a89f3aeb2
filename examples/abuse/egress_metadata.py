"""Asks the metadata service of a cloud for credentials, in each way that one takes.

Tries: to get credentials of the machine from 169.254.169.254.
Must: get no answer.

egress: public
expect: SUCCEEDED
"""

from lib.attempt import finish
from lib.outside import closed, must_be_open, tcp, within

must_be_open()
(metadata,) = within("169.254.")
for request in (
    "GET /latest/meta-data/iam/security-credentials/ HTTP/1.0",
    "PUT /latest/api/token HTTP/1.0\r\nX-aws-ec2-metadata-token-ttl-seconds: 60",
    "GET /computeMetadata/v1/instance/service-accounts/default/token HTTP/1.0\r\nMetadata-Flavor: Google",
    "GET /metadata/identity/oauth2/token HTTP/1.0\r\nMetadata: true",
):
    head = f"{request}\r\nHost: {metadata}\r\n\r\n".encode()
    closed(request.split(" HTTP")[0], lambda: tcp(metadata, 80, head))
finish()
