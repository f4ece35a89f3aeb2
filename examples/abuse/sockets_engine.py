"""Looks for the container engine's socket in all usual places, and for its ports on the loopback.

Tries: to have the engine start a container with the host's root in it.
Must: find neither socket nor port.

expect: SUCCEEDED
"""

import errno
import os
import socket
import stat

from lib.attempt import attempt, check, finish

PLACES = ["/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/crio/crio.sock",
          "/var/run/cri-dockerd.sock", "/run/user/0/docker.sock", "/run/user/10001/docker.sock", "/host/var/run/docker.sock",
          "/run/buildkit/buildkitd.sock", "/run/snapd.socket", "/run/systemd/private", "/run/dbus/system_bus_socket"]
for place in PLACES:
    attempt(place, lambda: socket.socket(socket.AF_UNIX).connect(place), errno.ENOENT)
for port in (22, 80, 443, 2375, 2376, 5432, 6443, 8080, 9042, 10250, 25520):
    attempt(f"127.0.0.1:{port}", lambda: socket.create_connection(("127.0.0.1", port), 1), errno.ECONNREFUSED)
found = []
for folder, _, files in os.walk("/"):
    if folder.startswith("/proc"):
        continue
    for name in files:
        path = os.path.join(folder, name)
        try:
            if stat.S_ISSOCK(os.lstat(path).st_mode):
                found.append(path)
        except OSError:
            pass
check(f"no socket is anywhere in the file system but {found}", not found)
finish()
