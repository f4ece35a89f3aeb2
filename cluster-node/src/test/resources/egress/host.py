"""Hosts at the addresses that are named, which greet whoever reaches them: on each TCP port with one line, on each UDP port with an answer. Prints who came."""
import select
import socket
import sys

TCP = (53, 80, 443, 853, 6379, 8080)
UDP = (53, 123, 443, 5353)
listeners, datagrams = [], []
for port in TCP:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(('0.0.0.0', port))
    sock.listen(128)
    listeners.append(sock)
for address in sys.argv[1:]:  # each by itself, so that an answer comes from where it was asked
    for port in UDP:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, port))
        datagrams.append(sock)
print('listening', flush=True)
while True:
    for sock in select.select(listeners + datagrams + [sys.stdin], [], [])[0]:
        if sock is sys.stdin:
            sys.exit()
        if sock in listeners:
            peer, source = sock.accept()
            print('tcp', source[0], sock.getsockname()[1], flush=True)
            try:
                peer.sendall(b'reached\n')
            except OSError:
                pass
            peer.close()
        else:
            said, source = sock.recvfrom(2048)
            print('udp', source[0], sock.getsockname()[1], said.decode('ascii', 'replace'), flush=True)
            sock.sendto(b'reached', source)
