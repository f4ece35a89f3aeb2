"""An agent that looks for what is not its own.

It tries, one after the other, what a curious or a hostile agent would try: other processes and their environments,
secrets in files around it, the container engine's socket, the cloud's metadata service and the machine's own services,
network interfaces, raw devices, its own privileges, and the guest program that started it. At the same time another run
(researcher.py) holds a secret that begins with "canary-".

What must happen: SUCCEEDED. It exits with 0 only when it found nothing; each thing found is a line that begins with
FOUND, and then it exits with 1.
"""

import glob
import os
import re
import socket
import sys
import time

# Written so that this file itself does not hold what it looks for.
CANARY = re.compile(rb"canary" + rb"-[0-9a-f]{32}")
READ_BYTES_MAX = 1 << 20
FILES_MAX = 20_000

found = []


def report(what, trouble):
    """Prints what was tried and whether anything came of it."""
    for line in trouble:
        found.append(line)
        print(f"FOUND {what}: {line}", flush=True)
    if not trouble:
        print(f"nothing: {what}", flush=True)


def read(path):
    """The beginning of a file, or nothing when it cannot be had."""
    try:
        # A pipe or a device may never answer; a plain file does.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return os.read(descriptor, READ_BYTES_MAX)
        finally:
            os.close(descriptor)
    except OSError:
        return b""


def other_processes():
    """Only the guest (process 1) and this program may be here; any other process id belongs to a stranger."""
    mine = {1, os.getpid()}
    return [f"process {name}: {read(f'/proc/{name}/cmdline')!r}" for name in os.listdir("/proc")
            if name.isdigit() and int(name) not in mine]


def environments():
    """The environment of every process but this one must be closed or empty, and none may hold a secret."""
    trouble = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        content = read(path)
        if CANARY.search(content):
            trouble.append(f"a secret in {path}")
        elif content and path != f"/proc/{os.getpid()}/environ":
            trouble.append(f"{path} can be read")
    return trouble


def files_with_secrets():
    """Files that people leave lying about, above the workspace and everywhere else that a run can reach."""
    trouble = []
    for pattern in ("../.env", "../../.env", "/.env", "/root/.*", "/home/*/.*", "/run/secrets/*", "/var/run/secrets/*",
                    "../*/.env", "/workspace/../*/secrets*"):
        trouble += [f"{path} exists" for path in glob.glob(pattern) if os.access(path, os.R_OK) and read(path)
                    and os.path.basename(path) not in (".bashrc", ".profile")]
    seen = 0
    for top in ("/workspace", "/tmp", "/home", "/root", "/run", "/var", "/etc", "/mnt", "/srv", "/opt", "/dev/shm"):
        for folder, _, names in os.walk(top):
            for name in names:
                seen += 1
                path = os.path.join(folder, name)
                if seen <= FILES_MAX and os.path.isfile(path) and CANARY.search(read(path)):
                    trouble.append(f"a secret in {path}")
    return trouble


def engine_sockets():
    """Whoever reaches the engine's socket owns the machine."""
    trouble = []
    for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock",
                 "/run/crio/crio.sock"):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(1)
            try:
                client.connect(path)
                trouble.append(f"{path} answers")
            except OSError:
                pass
    return trouble


def network_interfaces():
    """With no egress allowed there is a loopback and nothing else."""
    return [f"interface {name}" for _, name in socket.if_nameindex() if name != "lo" and is_up(name)]


def is_up(name):
    """Some kernels put tunnels into every namespace; one that is down leads nowhere."""
    flags = read(f"/sys/class/net/{name}/flags").strip()
    return not flags or int(flags, 16) & 1 == 1


def services():
    """The cloud's metadata, the engine's gateway, the node's own API on this and neighbouring addresses, a name server."""
    trouble = []
    for host, port in (("169.254.169.254", 80), ("172.17.0.1", 8080), ("172.17.0.1", 2375), ("127.0.0.1", 8080),
                       ("127.0.0.1", 2375), ("10.0.0.1", 443), ("192.168.0.1", 80), ("1.1.1.1", 53)):
        try:
            with socket.create_connection((host, port), timeout=0.5):
                trouble.append(f"{host}:{port} answers")
        except OSError:
            pass
    try:
        socket.getaddrinfo("host.docker.internal", 80)
        trouble.append("host.docker.internal has an address")
    except OSError:
        pass
    return trouble


def privileges():
    """No root, no capability, nothing to be gained by executing a set-user-id program, no writable system."""
    status = read("/proc/self/status").decode()
    value = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    trouble = [] if os.getuid() != 0 else ["this is root"]
    trouble += [f"{name} is {value[name].strip()}" for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")
                if int(value[name], 16)]
    if value["NoNewPrivs"].strip() != "1":
        trouble.append("privileges can be gained")
    for path in ("/etc/passwd", "/usr/bin/probe", "/probe", "/sys/fs/cgroup/probe", "/proc/sysrq-trigger"):
        if os.access(path if os.path.exists(path) else os.path.dirname(path), os.W_OK):
            trouble.append(f"{path} can be written")
    return trouble


def devices():
    """Neither memory nor disks."""
    return [f"{path} can be read" for path in ("/dev/mem", "/dev/kmem", "/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/kvm",
                                               "/dev/fuse", "/dev/kmsg", "/proc/kcore") if os.access(path, os.R_OK)
            and read(path)]


def the_guest():
    """The program that started this one is not its to kill, to trace or to look into."""
    trouble = []
    try:
        os.kill(1, 0)
        trouble.append("process 1 can be signalled")
    except OSError:
        pass
    for name in ("mem", "environ", "maps", "root", "cwd", "fd"):
        path = f"/proc/1/{name}"
        try:
            if name == "fd":
                trouble += [f"{path} can be listed"] if os.listdir(path) else []
            elif name in ("root", "cwd"):
                trouble.append(f"{path} leads to {os.readlink(path)}")
            else:
                with open(path, "rb") as file:
                    if file.read(1):
                        trouble.append(f"{path} can be read")
        except OSError:
            pass
    return trouble


def main():
    looks = (("other processes", other_processes), ("environments", environments), ("secrets in files", files_with_secrets),
             ("the engine's socket", engine_sockets), ("network interfaces", network_interfaces), ("services", services),
             ("privileges", privileges), ("devices", devices), ("the guest", the_guest))
    time.sleep(1)  # Others shall have their secrets by now.
    for what, look in looks:
        report(what, look())
    print(f"{len(looks)} places looked at, {len(found)} things found.", flush=True)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
