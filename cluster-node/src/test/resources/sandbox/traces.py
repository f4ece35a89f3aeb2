"""Leaves a mark in every place that a sandbox can write to ("leave MARK"), or looks for it ("look MARK").

Prints one line for each place: its name and "left" or the reason of the failure, "found" or "absent". The process that
leaves marks stays alive and holds them until its sandbox ends.
"""
import ctypes
import fcntl
import glob
import os
import socket
import struct
import sys
import time

mark = sys.argv[2]
number = 0x40000000 | int(mark[-6:], 16)
port = 20000 + number % 20000
libc = ctypes.CDLL(None, use_errno=True)
held = []


def called(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def raw(call, *arguments):
    return called(libc.syscall(call, *arguments))


def write(path, text=mark):
    with open(path, 'w') as file:
        file.write(text)


def file(folder):
    path = os.path.join(folder, mark)
    return (lambda: write(path)), (lambda: os.path.exists(path))


def listening(family, kind, address):
    def leave():
        sock = socket.socket(family, kind)
        sock.bind(address)
        if kind == socket.SOCK_STREAM:
            sock.listen()
        held.append(sock)

    def look():
        sock = socket.socket(family, kind)
        try:
            sock.bind(address)
            if family == socket.AF_UNIX and address[0] != '\0':
                os.unlink(address)
            return False
        except OSError:
            return True
    return leave, look


def queue():
    called(libc.mq_open(b'/' + mark.encode(), os.O_RDWR | os.O_CREAT, 0o600, None))


def locked(path):
    def leave():
        file = open(path, 'rb')
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held.append(file)

    def look():
        try:
            with open(path, 'rb') as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
        except BlockingIOError:
            return True
        except OSError:
            return False
    return leave, look


def openable(folders):
    """Every file that opens, once for each inode, outside of the folders of processes."""
    files = {}
    for top in folders:
        for folder, below, names in os.walk(top):
            if folder == '/proc':
                below[:] = [name for name in below if not name.isdigit() and not name.endswith('self')]
            for name in names:
                try:
                    one = open(os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY), 'rb')
                except OSError:
                    continue
                status = os.fstat(one.fileno())
                files.setdefault((status.st_dev, status.st_ino), one)
    return files.values()


def locked_all(*folders):
    def lock(file):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False
        except OSError:
            return True  # it cannot be locked at all

    def leave():
        held.extend(file for file in openable(folders) if lock(file))

    def look():
        return not all([lock(file) for file in openable(folders)])
    return leave, look


def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve(sys.executable, [sys.executable, '-c', 'import time; time.sleep(600)', 'daemon-' + mark],
                      {'MARK': 'environment-' + mark})
        os._exit(0)
    deadline = time.monotonic() + 10
    while not seen('cmdline', 'daemon-') and time.monotonic() < deadline:
        time.sleep(0.01)


def seen(name, prefix):
    for path in glob.glob('/proc/[0-9]*/' + name):
        try:
            if path.split('/')[2] != str(os.getpid()) and (prefix + mark).encode() in open(path, 'rb').read():
                return True
        except OSError:
            pass
    return False


def interface(request, name, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, request, struct.pack('16s', name) + data)


def terminal():
    held.append(os.open('/dev/ptmx', os.O_RDWR | os.O_NOCTTY))


def content(path):
    try:
        return open(path).read()
    except OSError:
        return ''


address = struct.pack('<H2s4s8s', socket.AF_INET, b'', socket.inet_aton('127.77.0.1'), b'')
nothing = b'\0' * 16
places = {
    'workspace': file('/workspace'),
    'tmp': file('/tmp'),
    'dev-shm': file('/dev/shm'),
    'root': file('/'),
    'image-folder': file('/usr/bin'),
    'guest-folder': file('/.vivarium'),
    'dev': file('/dev'),
    'control-group': file('/sys/fs/cgroup/memory' if os.path.isdir('/sys/fs/cgroup/memory') else '/sys/fs/cgroup'),
    'message-queue-posix': (queue, lambda: libc.mq_open(b'/' + mark.encode(), os.O_RDONLY) >= 0),
    'shared-memory-sysv': (lambda: called(libc.shmget(number, 4096, 0o1600)),
                           lambda: libc.shmget(number, 4096, 0o600) >= 0),
    'semaphores-sysv': (lambda: called(libc.semget(number, 1, 0o1600)), lambda: libc.semget(number, 1, 0o600) >= 0),
    'message-queue-sysv': (lambda: called(libc.msgget(number, 0o1600)), lambda: libc.msgget(number, 0o600) >= 0),
    'socket-abstract': listening(socket.AF_UNIX, socket.SOCK_STREAM, '\0' + mark),
    'socket-path': listening(socket.AF_UNIX, socket.SOCK_STREAM, '/tmp/' + mark + '.sock'),
    'port-tcp': listening(socket.AF_INET, socket.SOCK_STREAM, ('127.0.0.1', port)),
    'port-udp': listening(socket.AF_INET, socket.SOCK_DGRAM, ('127.0.0.1', port)),
    'daemon': (daemon, lambda: seen('cmdline', 'daemon-')),
    'environment': (lambda: None, lambda: seen('environ', 'environment-')),
    'terminal': (terminal, lambda: any(name.isdigit() for name in os.listdir('/dev/pts'))),
    'hostname': (lambda: socket.sethostname(mark), lambda: socket.gethostname() == mark),
    'domain-name': (lambda: called(libc.setdomainname(mark.encode(), len(mark))),
                    lambda: mark in content('/proc/sys/kernel/domainname')),
    'keyring': (lambda: raw(248, b'user', mark.encode(), mark.encode(), len(mark), -3),
                lambda: libc.syscall(250, 10, -3, b'user', mark.encode(), 0) >= 0 or mark in content('/proc/keys')),
    'setting-network': (lambda: write('/proc/sys/net/ipv4/ip_local_port_range', '20000 20100'),
                        lambda: content('/proc/sys/net/ipv4/ip_local_port_range').split() == ['20000', '20100']),
    'setting-ipc': (lambda: write('/proc/sys/kernel/shmmni', '77'),
                    lambda: content('/proc/sys/kernel/shmmni').strip() == '77'),
    'setting-queues': (lambda: write('/proc/sys/fs/mqueue/msg_max', '7'),
                       lambda: content('/proc/sys/fs/mqueue/msg_max').strip() == '7'),
    'address': (lambda: interface(0x8916, b'lo:1', address), lambda: '127.77.0.1' in content('/proc/net/fib_trie')),
    'neighbour': (lambda: interface(0x8955, address, nothing + b'lo'), lambda: '127.77' in content('/proc/net/arp')),
    'lock-guest': locked('/.vivarium/vivarium-init'),
    'lock-image': locked(os.path.realpath(sys.executable)),
    'locks-kernel-files': locked_all('/dev', '/etc', '/proc', '/sys'),
    'out-of-memory-score': (lambda: write('/proc/self/oom_score_adj', '977'),
                            lambda: '977' in [content(path).strip() for path in glob.glob('/proc/*/oom_score_adj')]),
}

for name, (leave, look) in places.items():
    if sys.argv[1] == 'leave':
        try:
            leave()
            print(name, 'left')
        except OSError as refused:
            print(name, 'refused', os.strerror(refused.errno).replace(' ', '-'))
    else:
        print(name, 'found' if look() else 'absent')
print('over', flush=True)
if sys.argv[1] == 'leave':
    time.sleep(600)
