#!/usr/bin/env python3
"""Writes a seed for each kind of frame and for typical sequences: seeds.py FOLDER. PROTOCOL.md has the layouts."""
import pathlib
import struct
import sys


def frame(kind, payload=b""):
    return struct.pack(">IB", 1 + len(payload), kind) + payload


def text(value):
    return struct.pack(">I", len(value)) + value


def texts(values):
    return struct.pack(">I", len(values)) + b"".join(text(value) for value in values)


def arm(millis):
    return frame(0x01, struct.pack(">Q", millis))


def write_file(path, data, offset=0, uid=10001):
    return frame(0x02, struct.pack(">IIIIQ", 1, 0o644, uid, uid, offset) + text(path) + data)


def make_folder(path, mode=0o750, uid=10001):
    return frame(0x0B, struct.pack(">IIII", 1, mode, uid, uid) + text(path))


def make_link(path, kind, target, uid=10001):
    return frame(0x0C, struct.pack(">IIIB", 1, uid, uid, kind) + text(path) + text(target))


def list_folder(path, place=0, uid=10001):
    return frame(0x0D, struct.pack(">IIIQ", 1, uid, uid, place) + text(path))


def read_file(path, offset=0, most=65536, uid=10001):
    return frame(0x0E, struct.pack(">IIIQI", 1, uid, uid, offset, most) + text(path))


def spawn(process, terminal=0, window=65536, argv=(b"sh", b"-c", b"true"), uid=10001):
    head = struct.pack(">IIIIBHH", process, uid, uid, window, terminal, 24, 80)
    limits = struct.pack(">IBQBQ", 2, 0, 1024, 1, 0)
    return frame(0x03, head + text(b"/workspace") + texts(argv) + texts([b"PATH=/bin", b"A=1"]) + limits)


def stdin(process, data):
    return frame(0x04, struct.pack(">I", process) + data)


def about(kind, process, rest=b""):
    return frame(kind, struct.pack(">I", process) + rest)


close_stdin = about(0x05, 1)
signal = about(0x06, 1, b"\x0f")
resize = about(0x07, 1, struct.pack(">HH", 50, 132))
credit = about(0x08, 1, struct.pack(">BI", 0, 65536))
kill_all = frame(0x09, struct.pack(">I", 50))
ping = about(0x0A, 7)
run = arm(60000) + write_file(b"/workspace/a/b", b"content") + spawn(1) + close_stdin

SEEDS = {
    "arm": arm(100),
    "write": write_file(b"/workspace/a/b/c", b"x" * 100),
    "write-on": write_file(b"/tmp/f", b"x", offset=512),
    "write-nobody": write_file(b"/tmp/f", b"x", uid=0xFFFFFFFF),
    "write-dots": write_file(b"/tmp/../f", b"x"),
    "folder": make_folder(b"/workspace/a/b"),
    "folder-dots": make_folder(b"/workspace/.."),
    "link": make_link(b"/workspace/a/l", 0, b"../b"),
    "hard-link": make_link(b"/workspace/a/l", 1, b"/workspace/b/c"),
    "hard-link-dots": make_link(b"/workspace/a", 1, b"/workspace/../b"),
    "list": list_folder(b"/workspace/a") + list_folder(b"/workspace/a", place=4096),
    "list-dots": list_folder(b"/workspace/..") + list_folder(b"/workspace", place=2**63),
    "read": read_file(b"/workspace/a") + read_file(b"/workspace/a", offset=65536),
    "read-nothing": read_file(b"/workspace/a", most=0) + read_file(b"/workspace/../a"),
    "read-too-much": read_file(b"/workspace/a", most=65537),
    "spawn": spawn(1),
    "spawn-nothing": spawn(1, argv=()),
    "spawn-nobody": spawn(1, uid=0xFFFFFFFF),
    "terminal": spawn(1, terminal=1) + resize + stdin(1, b"typed\n") + close_stdin,
    "many": b"".join(spawn(process) for process in range(1, 67)) + spawn(1),
    "stdin": spawn(1) + stdin(1, b"y" * 500) + stdin(1, b"z") + close_stdin,
    "no-credit": spawn(1, window=0) + credit + credit,
    "signal": spawn(1) + signal + ping,
    "run": run,
    "run-killed": run + kill_all + spawn(2) + kill_all,
    "pings": ping * 200,
    "bad-type": frame(0x1F, b"\0\0\0\1"),
    "bad-length": b"\xff\xff\xff\xff",
}

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for name, node_bytes in SEEDS.items():
    sent = struct.pack(">H", len(node_bytes)) + node_bytes
    # What follows decides how the played kernel answers: once all goes well, and once each kind of answer comes up.
    (folder / name).write_bytes(sent)
    (folder / f"{name}-refused").write_bytes(sent + bytes(range(255, -1, -3)) * 4)
