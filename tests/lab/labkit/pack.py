"""What goes into the lab: initramfs images, and trees of binaries with the libraries they need."""

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

from . import LabError
from .cpio import Archive

BUSYBOX = "/bin/busybox"

# KVM for AMD hosts, and the disk through which files enter (see machine.py).
LAB_MODULES = ["irqbypass", "ccp", "kvm", "kvm-amd", "virtio_pci", "virtio_blk"]
# The ACPI power button and the input events through which a guest's user space hears of it.
GUEST_MODULES = ["button", "evdev"]
# There for tests that want them: `load virtio` in their script for the guest.
GUEST_EXTRAS = {"virtio": ["virtio_pci", "virtio_mmio", "virtio_rng", "virtio_console", "virtio_balloon"]}
# Loads the modules of a list in /modules.
LOAD = b"""#!/bin/sh
while read -r module; do
	insmod "/modules/$module" || echo "guest: cannot load $module"
done < "/modules/$1"
"""

# Without -f these ask an init that would know how; here nobody does.
PROFILE = b"alias poweroff='poweroff -f' reboot='reboot -f' halt='halt -f'\n"
LIBRARY_LINE = re.compile(r"(?:=>\s*)?(/[^\s]+)\s+\(0x")


def busybox():
    path = shutil.which("busybox") or BUSYBOX
    if not Path(path).exists():
        raise LabError("busybox is missing: install the package busybox-static")
    head = subprocess.run(["ldd", path], capture_output=True, text=True)
    if "=>" in head.stdout:
        raise LabError(f"{path} is not static: install the package busybox-static")
    return path


def add_modules(archive, kernel, name, modules, have):
    """Modules and those they need, but for `have`, and the order of loading as modules/`name`."""
    order = [path for path in kernel.modules(*modules) if path not in have]
    for path in order:
        archive.copy(f"modules/{path.name}", path)
    archive.file(f"modules/{name}", "".join(f"{path.name}\n" for path in order).encode())
    return order


def base_archive(kernel, modules, init, extras=None):
    """busybox under all its names, modules with the order to load them in, and /init."""
    archive = Archive()
    for folder in ("bin", "dev", "proc", "sys", "tmp", "root", "etc", "modules"):
        archive.directory(folder)
    archive.copy("bin/busybox", busybox())
    for name in subprocess.check_output([busybox(), "--list"], text=True).split():
        if name != "busybox":
            archive.link(f"bin/{name}", "busybox")
    archive.file("etc/profile", PROFILE)
    # The kernel opens /dev/console before /init can mount anything.
    archive.character_device("dev/console", 5, 1)
    order = add_modules(archive, kernel, "order", modules, [])
    for name, more in (extras or {}).items():
        add_modules(archive, kernel, name, more, order)
    archive.file("bin/load", LOAD, 0o755)
    archive.copy("init", init)
    return archive


def overlay(files):
    """An archive of scripts, {path: text}, to append to a guest initramfs whose /init runs /run.sh."""
    archive = Archive()
    for path, text in files.items():
        archive.file(path, text, 0o755)
    return archive.bytes()


def libraries(binary):
    """Shared libraries and the loader of a binary, as absolute paths; none for a static one."""
    done = subprocess.run(["ldd", binary], capture_output=True, text=True)
    if done.returncode:
        return []
    if "not found" in done.stdout:
        raise LabError(f"{binary} lacks a library: {done.stdout.strip()}")
    return LIBRARY_LINE.findall(done.stdout)


class Tree:
    """A tar stream of files for the lab, every path once."""

    def __init__(self, stream):
        self._tar = tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT)
        self._seen = set()

    def file(self, path, source):
        """Puts the host's file `source` at `path`; links are followed."""
        path = path.strip("/")
        if path in self._seen:
            return
        self._seen.add(path)
        info = self._tar.gettarinfo(str(Path(source).resolve()), path)
        # A second hard link to the same file must not become a link inside the archive.
        info.type, info.linkname = tarfile.REGTYPE, ""
        info.size = Path(source).stat().st_size
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        with open(source, "rb") as data:
            self._tar.addfile(info, data)

    def text(self, path, data, mode=0o644):
        info = tarfile.TarInfo(path.strip("/"))
        info.size, info.mode = len(data), mode
        self._tar.addfile(info, io.BytesIO(data))

    def binary(self, path, source):
        """A program with everything the loader will ask for, each at the host's place."""
        self.file(path, source)
        for library in libraries(source):
            self.file(library, library)

    def folder(self, path, source):
        for item in sorted(Path(source).rglob("*")):
            if item.is_file():
                self.file(f"{path}/{item.relative_to(source)}", item)

    def close(self):
        self._tar.close()
