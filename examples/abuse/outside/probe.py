"""Tries to reach each destination given as tcp:ADDRESS:PORT, udp:ADDRESS:PORT or ping:ADDRESS; prints the results."""
import os
import socket
import struct
import sys
import threading

WAIT = float(os.environ.get('WAIT', '3'))
found = {}


def tcp(address, port):
    with socket.create_connection((address, int(port)), WAIT) as sock:
        return sock.recv(16).startswith(b'reached')


def udp(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(WAIT)
        sock.sendto(b'hello', (address, int(port)))
        return sock.recvfrom(16)[0] == b'reached'


def ping(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as sock:
        sock.settimeout(WAIT)
        sock.sendto(struct.pack('!BBHHH', 8, 0, 0, 1, 1), (address, 0))
        return len(sock.recvfrom(64)[0]) > 0


def look(place):
    kind, *rest = place.split(':')
    try:
        found[place] = {'tcp': tcp, 'udp': udp, 'ping': ping}[kind](*rest)
    except OSError:
        found[place] = False


places = sys.argv[1:]
while places:
    looks = [threading.Thread(target=look, args=(place,)) for place in places[:32]]  # a sandbox has few threads
    places = places[32:]
    for one in looks:
        one.start()
    for one in looks:
        one.join()
for place in sys.argv[1:]:
    print(place, 'reached' if found[place] else 'not')
