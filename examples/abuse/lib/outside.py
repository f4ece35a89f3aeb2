"""How payloads with a network make and report attempts to reach forbidden destinations.

The suite tells them in the environment where the hosts are that it made: one in the open internet, some inside, and the
node's own addresses. A try is held when nothing answers: a connection that is refused was answered by somebody. Before
each payload's tries the way that must be open is tried, so that none passes because its network was down.
"""

import os
import socket
import struct
import threading

from lib.attempt import check, escaped, held

PUBLIC = os.environ["OUTSIDE_PUBLIC"]
INTERNAL = os.environ["OUTSIDE_INTERNAL"].split(",")
NODE = os.environ["OUTSIDE_NODE"].split(",")
LISTED = "www.vivarium.example.com"
# The one host whose requests the gateway adds a secret to.
SECURE = "secure.vivarium.example.com"
PORTS = (53, 80, 443, 853, 6379, 8080)
WAIT = 1.0
AT_ONCE = 24


def within(*prefixes):
    """Those of the internal hosts whose addresses begin so."""
    found = [address for address in INTERNAL if address.startswith(prefixes)]
    if not found:
        raise LookupError(f"the suite has no host in {prefixes}")
    return found


def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((resolver(), 53))
        return sock.getsockname()[0]


def resolver():
    with open("/etc/resolv.conf") as file:
        return next(line.split()[1] for line in file if line.startswith("nameserver"))


def tcp(address, port, words=b"", prepare=lambda sock: None, family=socket.AF_INET):
    """What answers a connection: its first words, "refused", or nothing."""
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.settimeout(WAIT)
        try:
            prepare(sock)
            sock.connect((address, port))
            if words:
                sock.sendall(words)
            return sock.recv(64) or "a connection"
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "a connection" if connected(sock) else None
        except OSError:
            return None


def connected(sock):
    try:
        sock.getpeername()
        return True
    except OSError:
        return False


def udp(address, port, words=b"hello", prepare=lambda sock: None, family=socket.AF_INET):
    """What answers a datagram."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(WAIT)
        try:
            prepare(sock)
            sock.sendto(words, (address, port))
            return sock.recvfrom(2048)[0] or "a datagram"
        except ConnectionRefusedError:
            return "refused"
        except OSError:
            return None


def closed(what, action):
    """Tries something that nothing may answer."""
    answer = action()
    held(what) if answer is None else escaped(what, answer)


def all_closed(tries):
    """The same for many at a time: pairs of what is tried and how."""
    tries = list(tries)
    for begin in range(0, len(tries), AT_ONCE):
        threads = [threading.Thread(target=closed, args=one) for one in tries[begin : begin + AT_ONCE]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def closed_hosts(addresses, ports=PORTS):
    """Nothing answers at these addresses, by TCP or by UDP."""
    all_closed((f"tcp {address}:{port}", lambda a=address, p=port: tcp(a, p)) for address in addresses for port in ports)
    all_closed((f"udp {address}:{port}", lambda a=address, p=port: udp(a, p)) for address in addresses for port in ports)


def addresses_of(name):
    """What a name leads to; nothing where it has no answer."""
    try:
        return sorted({info[4][0] for info in socket.getaddrinfo(name, 80, proto=socket.IPPROTO_TCP)})
    except (socket.gaierror, UnicodeError):
        return []


def nameless(name):
    """The name leads nowhere that is inside."""
    closed(f"the name {name[:80]}", lambda: [one for one in addresses_of(name) if one != PUBLIC] or None)


def ask(name, kind=1):
    """The node's resolver's answer about a name: its code and the number of records, or nothing."""
    message = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0)
    message += b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0" + struct.pack("!HH", kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(3)
        sock.sendto(message, (resolver(), 53))
        try:
            answer = sock.recvfrom(4096)[0]
        except OSError:
            return None
        return answer[3] & 15, struct.unpack("!H", answer[6:8])[0]


def hello(name):
    """The first message of TLS, for a host of that name, or for none."""
    import ssl  # costs time and memory that others do not have

    context = ssl.create_default_context()
    context.check_hostname = False
    sent = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return sent.read()


def through_proxy(head, more=b""):
    """The gateway's answer to the head of a request; the rest is sent once it was accepted."""
    with socket.create_connection((resolver(), 3128), 5) as sock:
        # Beyond what the gateway takes to reach a host that is slow: what is refused is answered, and not waited for.
        sock.settimeout(15)
        sock.sendall(head)
        said = b""
        try:
            while b"\r\n\r\n" not in said:
                part = sock.recv(4096)
                if not part:
                    break
                said += part
            if more and b" 200 " in said[:16]:
                sock.sendall(more)
            while b"reached" not in said:
                part = sock.recv(4096)
                if not part:
                    break
                said += part
        except OSError:
            pass
        return said


def fetch(head):
    """What a host answered to a request through the proxy; nothing where it was not reached."""
    said = through_proxy(head.encode())
    return said if b"reached" in said else None


def tunnel(target, more=b""):
    """What is behind a tunnel of the proxy: whether the host greeted."""
    head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()
    return b"reached" if b"reached" in through_proxy(head, more) else None


def ask_secure(path="/", host=SECURE, method="GET", more="", body=""):
    """What the host with TLS answers to a plain request through the proxy; nothing where it was not reached."""
    head = f"{method} http://{host}{path} HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n{body}"
    return fetch(head)


def must_bring_the_secret():
    """Once, and without the agent: else nothing is proven by what follows."""
    check("a plain request brings the secret by TLS", b"reached with 1:" in (ask_secure() or b""))


def must_be_open(mode="public"):
    """The way that the payload's policy allows; without it nothing is proven."""
    if mode == "public":
        check("the open internet is reached", tcp(PUBLIC, 80) == b"reached\n")
    else:
        check("what is listed is reached", tunnel(f"{LISTED}:8080") == b"reached")
