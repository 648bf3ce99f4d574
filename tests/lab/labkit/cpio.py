"""Writes cpio archives in the "newc" format a Linux kernel unpacks as initramfs.

Format: Documentation/driver-api/early-userspace/buffer-format.rst of the kernel. Archives may simply
be concatenated, as long as each starts on a multiple of four bytes; later files replace earlier ones.
"""

import os
import stat


class Archive:
    """Collects members in memory; `bytes()` gives the finished archive."""

    def __init__(self):
        self._parts = []
        self._inode = 1
        self._dirs = set()

    def _member(self, name, mode, data=b"", device=(0, 0)):
        encoded = name.encode() + b"\0"
        fields = (self._inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._inode += 1
        for part in (header + encoded, data):
            self._parts.append(part)
            self._parts.append(b"\0" * (-len(part) % 4))

    def directory(self, path):
        """Adds a directory with all its parents; again is fine."""
        path = path.strip("/")
        if not path or path in self._dirs:
            return
        self.directory(os.path.dirname(path))
        self._dirs.add(path)
        self._member(path, stat.S_IFDIR | 0o755)

    def file(self, path, data, mode=0o644):
        path = path.strip("/")
        self.directory(os.path.dirname(path))
        self._member(path, stat.S_IFREG | mode, data)

    def copy(self, path, source):
        """Adds the host file `source`, with its execute permission."""
        mode = 0o755 if os.access(source, os.X_OK) else 0o644
        with open(source, "rb") as stream:
            self.file(path, stream.read(), mode)

    def link(self, path, target):
        path = path.strip("/")
        self.directory(os.path.dirname(path))
        self._member(path, stat.S_IFLNK | 0o777, target.encode())

    def character_device(self, path, major, minor):
        path = path.strip("/")
        self.directory(os.path.dirname(path))
        self._member(path, stat.S_IFCHR | 0o600, device=(major, minor))

    def bytes(self):
        end = Archive()
        end._member("TRAILER!!!", 0)
        body = b"".join(self._parts + end._parts)
        return body + b"\0" * (-len(body) % 512)
