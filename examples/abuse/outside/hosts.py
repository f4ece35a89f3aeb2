"""The world outside of the sandboxes, made for a test: hosts in a network namespace of its own.

    hosts.py NAME PUBLIC RESOLVER INTERNAL...      as root

Creates the namespace, a link to it and a route to each address, and greets every visitor: on each TCP port with one line,
on each UDP port with an answer, on the port of HTTP with a response for each request, on that of bulk with zeros until the
other side closes. RESOLVER answers for the names of zone(). One more host, SECURE, speaks TLS on port 443, as
secure.vivarium.example.com with a certificate of tls/authority.pem: it answers requests with the number of credentials that
they brought. Prints "listening", and then its visitors: "tcp FROM TO PORT", "udp FROM TO PORT WORDS", "http TO HOST",
"https HOST METHOD PATH CREDENTIALS" and "dns NAME"; a secret that arrives unencrypted is a trespass. When its standard input
ends it removes everything.

No packet for one of the addresses can leave the machine: behind each route to this namespace is an unreachable route, which
is added first and removed last.
"""

import hashlib
import os
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading

TCP = (53, 80, 443, 853, 6379, 8080)
HTTP = 8081
# Where benchmarks fetch from: zeros without end, until the other side has enough.
BULK = 9000
CHUNK = bytes(1 << 18)
UDP = (53, 123, 443, 5353)
# Beside those that are named: a host of the open internet with TLS.
SECURE = "45.77.77.43"
TLS = 443
# What the suite's secrets begin with.
SECRET = b"canary" + b"-"
TLS_WAIT = 20
# Towards the namespace; of no range that a host has.
NODE_END = "10.99.77.1"
LAST = "4278198272"
PEERS_MAX = 512
A, CNAME, TXT, AAAA = 1, 5, 16, 28


def zone(public, internal):
    """Names to their answers, for one question after the other; the last is for all that follow."""
    ipv4, ipv6 = socket.inet_aton, lambda text: socket.inet_pton(socket.AF_INET6, text)
    inside, outside = (A, ipv4(internal)), (A, ipv4(public))
    hidden = "".join("%02x" % byte for byte in ipv4(internal))
    return {
        "www.vivarium.example.com": [[outside]],
        "other.vivarium.example.com": [[outside]],
        "secure.vivarium.example.com": [[(A, ipv4(SECURE))]],
        "rebound.vivarium.example.com": [[inside]],
        "a.rebound.example.com": [[inside]],
        "mixed.vivarium.example.com": [[outside, inside]],
        "later.vivarium.example.com": [[outside], [inside]],
        "loopback.vivarium.example.com": [[(A, ipv4("127.0.0.1"))]],
        "metadata.vivarium.example.com": [[(A, ipv4("169.254.169.254"))]],
        "alias.vivarium.example.com": [[(CNAME, name("rebound.vivarium.example.com")), inside]],
        "mapped.vivarium.example.com": [[(AAAA, ipv6("::ffff:" + internal))]],
        "nat64.vivarium.example.com": [[(AAAA, ipv6(f"64:ff9b::{hidden[:4]}:{hidden[4:]}"))]],
        "tunnel.vivarium.example.com": [[(TXT, bytes([32]) + b"c" * 32)]],
    }


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def answer(names, asked, query):
    """A DNS message's answer; asked counts how often each name was."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "replace").lower())
        at += 1 + query[at]
    kind = struct.unpack("!H", query[at + 1 : at + 3])[0]
    text = ".".join(labels)
    say("dns", text)
    turns = names.get(text)
    asked[text] = asked.get(text, 0) + 1
    records = turns[min(asked[text], len(turns)) - 1] if turns else []
    records = [record for record in records if record[0] in (kind, CNAME)]
    head = query[:2] + struct.pack("!HHHHH", 0x8180 if turns else 0x8183, 1, len(records), 0, 0)
    body = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(data)) + data for kind, data in records)
    return head + query[12 : at + 5] + body


def say(*words):
    print(*words, flush=True)


def serve(public, resolver, internals):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(os.path.join(os.path.dirname(os.path.abspath(__file__)), "tls", "hosts.pem"))
    names, asked = zone(public, internals[0]), {}
    listeners = [socket.create_server(("0.0.0.0", port), backlog=1024) for port in (*TCP, HTTP, BULK)]
    datagrams, peers = [], []
    for address in (public, resolver, *internals):  # each by itself, so that an answer comes from where it was asked
        for port in UDP:
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((address, port))
            datagrams.append(sock)
    say("listening")
    while True:
        for sock in select.select([*listeners, *datagrams, *peers, sys.stdin], [], [])[0]:
            if sock is sys.stdin:
                return
            if sock in listeners:
                peers.extend(met(sock, tls))
                if len(peers) > PEERS_MAX:
                    peers.pop(0).close()
            elif sock in datagrams:
                hear(sock, (resolver, 53), names, asked)
            elif sock in peers and not heard(sock):
                peers.remove(sock)
                sock.close()


def met(listener, tls):
    """Those to be heard from then on: one, or none."""
    peer, source = listener.accept()
    here = peer.getsockname()
    say("tcp", source[0], *here)
    if here == (SECURE, TLS):
        threading.Thread(target=converse, args=(peer, tls), daemon=True).start()
        return []
    if here[1] == BULK:
        pour(peer)
    elif here[1] != HTTP:
        send(peer, b"reached\n", last=True)
    return [peer]


def converse(peer, tls):
    """Answers requests over TLS, and reports the credentials of each, as digests."""
    peer.settimeout(TLS_WAIT)
    try:
        with tls.wrap_socket(peer, server_side=True) as sock:
            words = sock.makefile("rb")
            while line := words.readline():
                method, path = line.decode("ascii", "replace").split()[:2]
                headers = [pair.strip() for pair in iter(words.readline, b"\r\n") if pair]
                named = [pair.split(b":", 1) for pair in headers if b":" in pair]
                length = next((int(value) for key, value in named if key.lower() == b"content-length"), 0)
                words.read(length)
                host = b",".join(value.strip() for key, value in named if key.lower() == b"host").decode("ascii", "replace")
                credentials = [
                    hashlib.sha256(value.strip()).hexdigest()
                    for key, value in named
                    if key.lower().replace(b"_", b"-") == b"authorization"
                ]
                say("https", host, method, path, ",".join(credentials))
                where = b"Location: http://other.vivarium.example.com:8081/\r\n" if path == "/redirect" else b""
                status = b"307 Temporary Redirect" if where else b"200 OK"
                body = b"reached with %d: %s\n" % (len(credentials), ",".join(credentials).encode())
                sock.sendall(b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, where, len(body), body))
    except (OSError, ValueError):
        pass  # it was no TLS, or no request; what counts was said


def stolen(words):
    """A secret that arrives unencrypted was leaked."""
    if SECRET in words:
        say("trespass", "a secret in clear")


def pour(peer):
    """Only benchmarks come here, one after the other, so that others may wait."""
    try:
        while True:
            peer.sendall(CHUNK)
    except OSError:
        return


def heard(peer):
    """Whether there may be more."""
    try:
        words = peer.recv(65536)
    except OSError:
        return False
    stolen(words)
    if peer.getsockname()[1] == HTTP:
        words = whole(peer, words)
        for request in words.split(b"\r\n\r\n")[:-1]:
            hosts = [line[5:].strip() for line in request.split(b"\r\n") if line.lower().startswith(b"host:")]
            say("http", peer.getsockname()[0], b",".join(hosts).decode("ascii", "replace"))
            send(peer, b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nreached\n")
    return len(words) > 0


def whole(peer, words):
    """Reads the rest of a posted body: a client that is answered earlier need not send it."""
    head, _, body = words.rpartition(b"\r\n\r\n")
    announced = re.search(rb"\r\nContent-Length: *(\d{1,7})\r\n", head + b"\r\n", re.IGNORECASE)
    left = int(announced[1]) - len(body) if announced and head.startswith(b"POST ") else 0
    peer.settimeout(5)
    try:
        while left > 0 and (more := peer.recv(min(left, 65536))):
            stolen(more)
            words += more
            left -= len(more)
    except OSError:
        pass  # what came counts
    finally:
        peer.settimeout(None)
    return words


def send(peer, words, last=False):
    """Closed is it when the other side has: closing before all was read would take the words back."""
    try:
        peer.sendall(words)
        if last:
            peer.shutdown(socket.SHUT_WR)
    except OSError:
        say("gone", *peer.getsockname())


def hear(sock, resolver, names, asked):
    words, source = sock.recvfrom(2048)
    stolen(words)
    here = sock.getsockname()
    if here == resolver:
        reply(sock, names, asked, words, source)
    else:
        say("udp", source[0], *here, words.decode("ascii", "replace").replace("\n", " "))
        sock.sendto(b"reached", source)


def reply(sock, names, asked, query, source):
    try:
        sock.sendto(answer(names, asked, query), source)
    except (IndexError, struct.error):
        say("dns", "(no question)")


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def take_away(namespace, link, addresses):
    """Removes the blackhole routes last, when no sender is left."""
    subprocess.run(["ip", "netns", "delete", namespace], stderr=subprocess.DEVNULL)
    subprocess.run(["ip", "link", "delete", link], stderr=subprocess.DEVNULL)
    for address in addresses:
        subprocess.run(
            ["ip", "route", "delete", "unreachable", address + "/32", "metric", LAST], stderr=subprocess.DEVNULL
        )


def main(title, *addresses):
    namespace, link = "vtest" + title, "vt" + title
    # An earlier one of this name may have been killed.
    take_away(namespace, link, addresses)
    for address in addresses:
        run("ip", "route", "replace", "unreachable", address + "/32", "metric", LAST)
    try:
        run("ip", "netns", "add", namespace)
        run("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        run("ip", "addr", "add", NODE_END + "/32", "dev", link)
        run("ip", "link", "set", link, "up")
        inside = ("ip", "-n", namespace)
        run(*inside, "link", "set", "lo", "up")
        run(*inside, "link", "set", "eth0", "up")
        run(*inside, "route", "add", NODE_END + "/32", "dev", "eth0", "scope", "link")
        run(*inside, "route", "add", "default", "via", NODE_END, "dev", "eth0")
        for address in addresses:
            run(*inside, "addr", "add", address + "/32", "dev", "eth0")
            run("ip", "route", "replace", address + "/32", "dev", link, "scope", "link")
        # Its standard input is ours, so it ends when ours does.
        subprocess.run(["ip", "netns", "exec", namespace, sys.executable, "-u", __file__, "--serve", *addresses])
    finally:
        take_away(namespace, link, addresses)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(sys.argv[2], sys.argv[3], sys.argv[4:-1])
    else:
        # The rest is removed even if it is interrupted.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        main(*sys.argv[1:], SECURE)
