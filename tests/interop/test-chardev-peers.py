#!/usr/bin/python3
"""Telnet, WebSocket and UDP character devices, with peers that speak the protocols byte by byte.

The front end is the human monitor: what it is sent is echoed and answered. Prints TAP."""

import base64
import hashlib
import os
import socket
import struct
import subprocess
import sys
import time

QUAIL = sys.argv[1]
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LIMIT = 60


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Vmm:
    def __init__(self, chardev):
        self.process = subprocess.Popen(
            [QUAIL, "-M", "none", "-accel", "qtest", "-nodefaults", "-display", "none", "-chardev", chardev,
             "-mon", "chardev=c,mode=readline"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


def connect(port):
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            sock = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
            return sock
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def read_until(sock, wanted, got=b""):
    while wanted not in got:
        data = sock.recv(4096)
        assert data, f"closed before {wanted!r}: {got!r}"
        got += data
    return got


def tcp(option):
    port = free_port()
    return port, f"socket,id=c,host=127.0.0.1,port={port},server=on,wait=off,{option}=on"


def telnet():
    """telnet: options are offered, commands of the peer never reach the monitor"""
    port, chardev = tcp("telnet")
    with Vmm(chardev), connect(port) as sock:
        got = read_until(sock, b"(qemu)")
        assert got.startswith(bytes((255, 251, 1, 255, 251, 3, 255, 251, 0, 255, 253, 0))), got
        # WILL, a sub-negotiation with an escaped 255 in it, NOP and a break amid a command
        sock.sendall(b"info \xff\xfb\x1fve" + b"\xff\xfa\x18\x00xterm\xff\xff\xff\xf0" +
                     b"rs\xff\xf1io\xff\xf3n\n")
        got = read_until(sock, b"7.2")
        assert b"xterm" not in got and b"info version" in got.replace(b"\x1b[D", b""), got


def handshake(sock, **changes):
    key = base64.b64encode(os.urandom(16))
    headers = {"Host": "quail", "Connection": "keep-alive, Upgrade", "Upgrade": "websocket",
               "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key.decode(),
               "Sec-WebSocket-Protocol": "chat, binary"}
    headers.update(changes)
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    sock.sendall(("GET /x HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode())
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


def frame(opcode, payload, fin=True, masked=True):
    head = bytes(((0x80 if fin else 0) | opcode,))
    mask = os.urandom(4) if masked else b""
    length = len(payload)
    size = bytes((length,)) if length < 126 else b"\x7e" + struct.pack(">H", length)
    head += bytes((size[0] | (0x80 if masked else 0),)) + size[1:] + mask
    if masked:
        payload = bytes(byte ^ mask[i & 3] for i, byte in enumerate(payload))
    return head + payload


class Frames:
    def __init__(self, sock, rest):
        self.sock, self.rest = sock, rest

    def take(self, count):
        while len(self.rest) < count:
            data = self.sock.recv(4096)
            assert data, "closed within a frame"
            self.rest += data
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def next(self):
        first, second = self.take(2)
        assert first & 0x80 and not second & 0x80, (first, second)
        length = second & 0x7f
        if length == 126:
            length = struct.unpack(">H", self.take(2))[0]
        return first & 0xf, self.take(length)

    def until(self, wanted):
        got = b""
        while wanted not in got:
            opcode, payload = self.next()
            assert opcode == 2, opcode
            got += payload
        return got


def opened(sock):
    accept = handshake(sock)
    got = read_until(sock, b"\r\n\r\n")
    head, rest = got.split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 101 ") and accept in head, head
    assert b"Sec-WebSocket-Protocol: binary" in head, head
    return Frames(sock, rest)


def websocket():
    """websocket: handshake, fragments, pings, a clean end, and the next client"""
    port, chardev = tcp("websocket")
    with Vmm(chardev):
        for _ in range(2):
            with connect(port) as sock:
                frames = opened(sock)
                frames.until(b"(qemu)")
                sock.sendall(frame(2, b"info ver", fin=False) + frame(9, b"ping"))
                seen = b""
                while True:
                    opcode, payload = frames.next()
                    if opcode == 10:
                        assert payload == b"ping"
                        break
                    seen += payload
                sock.sendall(frame(0, b"sion\n"))
                seen += frames.until(b"7.2")
                sock.sendall(frame(8, struct.pack(">H", 1000)))
                while True:
                    opcode, payload = frames.next()
                    if opcode == 8:
                        break
                assert payload == struct.pack(">H", 1000), payload


def websocket_refused():
    """websocket: what is no handshake, or no legal frame, ends the connection"""
    port, chardev = tcp("websocket")
    bad = [{"Upgrade": None}, {"Sec-WebSocket-Version": "8"}, {"Sec-WebSocket-Key": "short"},
           {"Host": None}, {"Sec-WebSocket-Protocol": "chat"}]
    frames_bad = [frame(2, b"x", masked=False), frame(0, b"x"), frame(9, b"x" * 126),
                  frame(3, b"x"), b"\xc2\x81abcd\0"]
    with Vmm(chardev):
        for changes in bad:
            with connect(port) as sock:
                handshake(sock, **changes)
                got = read_until(sock, b"\r\n\r\n")
                assert got.startswith(b"HTTP/1.1 400 "), got
                assert sock.recv(1) == b""
        with connect(port) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\n" + b"x" * 20000)
            try:
                assert sock.recv(1) == b""
            except ConnectionResetError:
                pass
        for data in frames_bad:
            with connect(port) as sock:
                frames = opened(sock)
                frames.until(b"(qemu)")
                sock.sendall(data)
                while frames.next()[0] != 8:
                    pass


def udp():
    """udp: datagrams of the one peer, both ways"""
    port, own = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", port))
        sock.settimeout(LIMIT)
        with Vmm(f"udp,id=c,host=127.0.0.1,port={port},localaddr=127.0.0.1,localport={own}"):
            got = b""
            while b"(qemu)" not in got:
                got += sock.recv(65536)
            sock.sendto(b"info version\n", ("127.0.0.1", own))
            while b"7.2" not in got:
                got += sock.recv(65536)


def main():
    points = [telnet, websocket, websocket_refused, udp]
    failed = 0
    print(f"TAP version 13\n1..{len(points)}")
    for number, point in enumerate(points, 1):
        try:
            point()
            print(f"ok {number} - {point.__doc__}", flush=True)
        except (AssertionError, OSError) as error:
            failed += 1
            print(f"# {error!r}\nnot ok {number} - {point.__doc__}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
