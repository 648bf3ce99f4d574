"""The host's end of the serial line to the agent; the frames are described in agent.c."""

import os
import select
import socket
import time

from . import LabError

END, ESCAPE, FLIP = 0x7E, 0x7D, 0x20
SPECIAL = bytes((END, ESCAPE))
STDIN_CHUNK = 1024


class LabLost(LabError):
    """The lab crashed or no longer answers."""


def encode(kind, payload=b""):
    body = bytearray((END,))
    for byte in kind.encode() + payload:
        if byte in SPECIAL:
            body += bytes((ESCAPE, byte ^ FLIP))
        else:
            body.append(byte)
    body.append(END)
    return bytes(body)


def decode(raw):
    """Takes the escapes out of the bytes between two frame ends."""
    if ESCAPE not in raw:
        return bytes(raw)
    out, escaped = bytearray(), False
    for byte in raw:
        if byte == ESCAPE:
            escaped = True
            continue
        out.append(byte ^ FLIP if escaped else byte)
        escaped = False
    return bytes(out)


class Channel:
    """A connection to the agent, synchronised: nothing runs, nothing old is in the line."""

    def __init__(self, path, sync_limit=240):
        self._socket = socket.socket(socket.AF_UNIX)
        # The path of a Unix socket is short; the folder it is in may not be.
        here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.chdir(os.path.dirname(path))
            self._socket.connect(os.path.basename(path))
        except OSError as error:
            raise LabLost(f"cannot reach the lab: {error.strerror}") from None
        finally:
            os.fchdir(here)
            os.close(here)
        self._raw = bytearray()
        self.synchronise(sync_limit)

    def close(self):
        self._socket.close()

    def send(self, kind, payload=b""):
        try:
            self._socket.sendall(encode(kind, payload))
        except OSError as error:
            raise LabLost(f"the lab is gone: {error.strerror}") from None

    def _frames(self):
        """The frames received so far, as (kind, payload)."""
        while (end := self._raw.find(END)) >= 0:
            raw, self._raw = self._raw[:end], self._raw[end + 1:]
            if raw:
                frame = decode(raw)
                yield chr(frame[0]), frame[1:]

    def _receive(self):
        data = self._socket.recv(65536)
        if not data:
            raise LabLost("the lab closed the line")
        self._raw += data

    def frames(self, limit, also=None):
        """Yields frames as they come, until `limit` seconds from now; `also` is another readable file,
        announced as ('', b'')."""
        deadline = time.monotonic() + limit
        while True:
            yield from self._frames()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            files = [self._socket] + ([also] if also else [])
            ready = select.select(files, [], [], min(left, 3600))[0]
            if self._socket in ready:
                self._receive()
            if also and also in ready:
                yield "", b""

    def synchronise(self, limit):
        """Stops what runs and waits until the agent says so. Repeated, since a lab that is still
        booting hears nothing."""
        tag = os.urandom(8).hex().encode()
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            self.send("S", tag)
            if any(frame == ("S", tag) for frame in self.until("S", 2)):
                return
        raise LabLost(f"the agent in the lab did not answer for {limit} s")

    def until(self, kind, limit):
        """All frames up to and including the first of that kind."""
        for frame in self.frames(limit):
            yield frame
            if frame[0] == kind:
                return

    def kill_all(self):
        self.send("K")
        if not any(kind == "K" for kind, _ in self.until("K", 240)):
            raise LabLost("processes in the lab could not be killed")

    def run(self, command, sink, limit, stdin=None):
        """Runs a shell command; `sink` gets its output as bytes, `stdin` is a file to feed it from.
        Returns its status, or None if it did not end in time and was stopped."""
        self.send("R", command.encode())
        if stdin is None:
            self.send("E")
        for kind, payload in self.frames(limit, stdin):
            if kind == "":
                data = os.read(stdin.fileno(), STDIN_CHUNK)
                self.send("I" if data else "E", data)
                stdin = stdin if data else None
                if stdin is None:
                    return self._finish(sink, limit)
            elif kind == "O":
                sink(payload)
            elif kind == "X":
                return int(payload)
        self.synchronise(240)
        return None

    def _finish(self, sink, limit):
        """The rest of run() once there is no standard input to watch any more."""
        for kind, payload in self.frames(limit):
            if kind == "O":
                sink(payload)
            elif kind == "X":
                return int(payload)
        self.synchronise(240)
        return None
