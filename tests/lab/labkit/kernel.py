"""Debian's stock cloud kernel: downloaded and unpacked into a cache, never installed.

The newest unpacked version in the cache is used without asking the network; `lab kernel --update`
looks for a newer one.
"""

import lzma
import os
import re
import shutil
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

from . import LabError

META_PACKAGE = "linux-image-cloud-amd64"
PACKAGE_NAME = re.compile(r"linux-image-[0-9][^ ]*-cloud-amd64")

# Documentation/arch/x86/boot.rst: the setup header of a bzImage.
SETUP_SECTS = 0x1F1
HEADER_MAGIC = 0x202
PAYLOAD_OFFSET = 0x248
PAYLOAD_LENGTH = 0x24C

# How the payload may be packed (boot.rst, "payload_offset") and who unpacks it.
TOOLS = {
    b"\x02\x21\x4c\x18": ["lz4", "-d", "-c"],
    b"\x28\xb5\x2f\xfd": ["zstd", "-d", "-c"],
    b"BZh": ["bzip2", "-d", "-c"],
}


class Kernel:
    """One unpacked kernel package."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.image = next((self.folder / "boot").glob("vmlinuz-*"))
        self.version = self.image.name.removeprefix("vmlinuz-")
        self._modules = None

    def vmlinux(self):
        """The ELF file inside the bzImage, unpacked next to it at the first call."""
        path = self.folder / "boot" / "vmlinux"
        if not path.exists():
            write_whole(path, extract_vmlinux(self.image.read_bytes()))
        return path

    def modules(self, *names):
        """Paths of the modules and everything they depend on, in the order of loading.

        A name the kernel has built in, or does not know, is left out: the list serves several kernels.
        """
        order = []
        for name in names:
            self._add_module(name.replace("-", "_"), order)
        return order

    def _add_module(self, name, order):
        if self._modules is None:
            found = (self.folder / "lib/modules").rglob("*.ko")
            self._modules = {path.stem.replace("-", "_"): path for path in found}
        path = self._modules.get(name)
        if path is None or path in order:
            return
        depends = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
        for other in depends.group(1).decode().split(",") if depends else []:
            self._add_module(other.replace("-", "_"), order)
        order.append(path)


def write_whole(path, data):
    """Writes a file that is either complete or not there."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(data)
    part.rename(path)


def extract_vmlinux(image):
    """The compressed ELF file in a bzImage, by the offsets of its setup header."""
    if image[HEADER_MAGIC:HEADER_MAGIC + 4] != b"HdrS":
        raise LabError("not a bzImage: no 'HdrS' at offset 0x202")
    start = ((image[SETUP_SECTS] or 4) + 1) * 512
    offset, length = struct.unpack_from("<II", image, PAYLOAD_OFFSET)
    # The last four bytes are the unpacked size, which no format but gzip counts as its own.
    payload = image[start + offset:start + offset + length]
    elf = unpack(payload, struct.unpack("<I", payload[-4:])[0])
    if elf[:4] != b"\x7fELF":
        raise LabError("the payload of the bzImage is not an ELF file")
    return elf


def unpack(payload, size):
    if payload[:2] == b"\x1f\x8b":
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(payload)
    if payload[:6] == b"\xfd7zXZ\0" or payload[:3] == b"\x5d\0\0":
        return lzma.LZMADecompressor().decompress(payload)
    for magic, tool in TOOLS.items():
        if payload.startswith(magic):
            # These tools may complain about the size that follows their data, after all is written.
            done = subprocess.run(tool, input=payload[:-4], capture_output=True)
            if len(done.stdout) != size:
                raise LabError(f"{tool[0]} unpacked {len(done.stdout)} bytes of {size}: "
                               f"{done.stderr.decode(errors='replace').strip()}")
            return done.stdout
    raise LabError(f"unknown compression of the kernel payload: magic {payload[:6].hex()}")


def package_name():
    """The versioned package the meta package stands for today."""
    done = subprocess.run(["apt-cache", "depends", META_PACKAGE], capture_output=True, text=True)
    match = PACKAGE_NAME.search(done.stdout)
    if not match:
        raise LabError(f"apt-cache does not know {META_PACKAGE}: run 'apt-get update' first")
    return match.group()


def download(cache):
    """Downloads and unpacks the current kernel package into `cache`."""
    package = package_name()
    target = Path(cache) / package
    if target.exists():
        return target
    Path(cache).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        sandbox = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
        done = subprocess.run(["apt-get", *sandbox, "-qq", "download", package], cwd=work,
                              capture_output=True, text=True)
        packages = list(Path(work).glob("*.deb"))
        if done.returncode or not packages:
            raise LabError(f"cannot download {package}: {done.stderr.strip() or 'no package came'}")
        subprocess.run(["dpkg", "-x", str(packages[0]), f"{work}/unpacked"], check=True)
        try:
            os.rename(f"{work}/unpacked", target)
        except OSError:
            # Another run was faster; its copy is as good.
            if not target.exists():
                raise
    return target


def version_key(folder):
    return [int(number) for number in re.findall(r"\d+", folder.name)]


def fetch(cache, update=False):
    """The kernel from the cache; downloaded if there is none or an update is asked for."""
    have = [path for path in Path(cache).glob("linux-image-*") if path.is_dir()]
    if update or not have:
        newest = download(cache)
        for old in have:
            if old != newest:
                shutil.rmtree(old)
        return Kernel(newest)
    return Kernel(max(have, key=version_key))
