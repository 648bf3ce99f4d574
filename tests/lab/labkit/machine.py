"""The lab as a process: Debian's QEMU, emulating an AMD machine that has KVM.

Serial port 1 is the console (a log file), port 2 the line to the agent. Files enter and leave through
a raw disk image, the mailbox: a tar stream written at its start by one side is unpacked by the other.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import tarfile
import time
from pathlib import Path

from . import LabError
from .channel import Channel, LabLost
from .pack import LAB_MODULES, Tree, base_archive

QEMU = "qemu-system-x86_64"
MAILBOX_SIZE = 1 << 30  # sparse
START_LIMIT = 600  # seconds to the agent's first word; 3 on an idle host
PUSH_LIMIT = 600
COMMAND_LINE = "console=ttyS0 panic=-1 loglevel=5 nokaslr mitigations=off"
PR_SET_PDEATHSIG = 1


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """The lab of one folder: its sockets, logs and the process that may be running."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.console = self.folder / "console.log"
        self.mailbox = self.folder / "mailbox.img"
        self._pid_file = self.folder / "pid"
        self._channel = None
        self._lock = None

    def pid(self):
        """The process of the running lab, or None."""
        try:
            pid = int(self._pid_file.read_text())
            # The number may have been given to somebody else since.
            if str(self.folder).encode() in Path(f"/proc/{pid}/environ").read_bytes():
                return pid
        except (OSError, ValueError):
            pass
        return None

    def start(self, kernel, agent, here, memory, cpus, keep):
        """Starts the lab and waits for its agent. Without `keep` it dies with this process."""
        if not shutil.which(QEMU):
            raise LabError(f"{QEMU} is missing: install the package qemu-system-x86")
        if self.pid():
            raise LabError(f"a lab is already running in {self.folder}")
        self.folder.mkdir(parents=True, exist_ok=True)
        archive = base_archive(kernel, LAB_MODULES, here / "inside/lab-init")
        archive.copy("agent", agent)
        (self.folder / "initramfs").write_bytes(archive.bytes())
        with open(self.mailbox, "wb") as mailbox:
            mailbox.truncate(MAILBOX_SIZE)
        self._spawn(kernel, memory, cpus, keep)
        self._wait_ready()

    def _spawn(self, kernel, memory, cpus, keep):
        command = [
            QEMU, "-name", "quail-lab", "-nodefaults", "-no-user-config", "-machine", "q35",
            "-accel", "tcg,thread=multi", "-cpu", "max,+svm", "-smp", str(cpus), "-m", str(memory),
            "-display", "none", "-no-reboot", "-kernel", str(kernel.image), "-initrd", "initramfs",
            "-append", COMMAND_LINE,
            "-chardev", "file,id=console,path=console.log", "-serial", "chardev:console",
            "-chardev", "socket,id=agent,path=agent.sock,server=on,wait=off",
            "-serial", "chardev:agent",
            "-blockdev", "driver=file,node-name=mailbox,filename=mailbox.img,locking=off",
            "-device", "virtio-blk-pci,drive=mailbox",
        ]
        for name in ("agent.sock", "console.log"):
            (self.folder / name).unlink(missing_ok=True)
        with open(self.folder / "qemu.log", "wb") as log:
            process = subprocess.Popen(
                command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "QUAIL_LAB": str(self.folder)}, start_new_session=True,
                preexec_fn=None if keep else die_with_parent)
        self._pid_file.write_text(f"{process.pid}\n")
        self._process = process

    def _wait_ready(self):
        deadline = time.monotonic() + START_LIMIT
        while not (self.folder / "agent.sock").exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "qemu.log").read_text(errors="replace").strip()
                self.stop()
                raise LabError(f"{QEMU} did not start: {log}")
            time.sleep(0.02)
        try:
            self.channel(START_LIMIT)
        except LabLost as error:
            report = self.report(error)
            self.stop()
            raise LabError(report) from None

    def channel(self, sync_limit=240):
        """The line to the agent, opened at the first call; one user at a time holds it."""
        if self._channel:
            return self._channel
        if not self.pid():
            raise LabLost("no lab is running: 'lab start' begins one")
        self._lock = open(self.folder / "lock", "w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._channel = Channel(str(self.folder / "agent.sock"), sync_limit)
        return self._channel

    def push(self, fill):
        """Unpacks files inside: `fill` gets the pack.Tree to put them into."""
        with open(self.mailbox, "r+b") as stream:
            tree = Tree(stream)
            fill(tree)
            tree.close()
            size = stream.tell()
        if size > MAILBOX_SIZE:
            raise LabError(f"more than {MAILBOX_SIZE >> 20} MiB for the lab at once")
        # Read to the end of the archive only: tar would go on to the end of the disk.
        self.check(f"blockdev --flushbufs /dev/vda && dd if=/dev/vda bs=1M count={(size >> 20) + 1} "
                   "2>/dev/null | tar -xf - -C /", PUSH_LIMIT)

    def pull(self, paths, target):
        """Brings files out, into the folder `target`."""
        quoted = " ".join("'" + path.lstrip("/").replace("'", "'\\''") + "'" for path in paths)
        self.check(f"tar -cf - -C / {quoted} | dd of=/dev/vda bs=1M conv=fsync 2>/dev/null",
                   PUSH_LIMIT)
        with tarfile.open(self.mailbox) as tar:
            tar.extractall(target)

    def check(self, command, limit):
        """Runs a command that must succeed; returns its output."""
        output = bytearray()
        status = self.channel().run(command, output.extend, limit)
        if status != 0:
            what = "did not end" if status is None else f"failed with status {status}"
            raise LabError(f"in the lab, '{command}' {what}: {output.decode(errors='replace')}")
        return bytes(output)

    def disconnect(self):
        """Gives the line back; the next use opens it again."""
        if self._channel:
            self._channel.close()
            self._lock.close()
            self._channel = None

    def stop(self):
        """Ends the lab; without one it does nothing."""
        self.disconnect()
        pid = self.pid()
        if pid:
            os.kill(pid, signal.SIGKILL)
            self._wait_gone(pid)
        for name in ("pid", "agent.sock", "mailbox.img", "initramfs"):
            (self.folder / name).unlink(missing_ok=True)

    def _wait_gone(self, pid):
        process = getattr(self, "_process", None)
        if process and process.pid == pid:
            process.wait()
        while self.pid() == pid:
            time.sleep(0.02)

    def report(self, error, lines=40):
        """What to tell about a lab that is lost: the reason and the end of its console."""
        state = "still running" if self.pid() else "ended"
        parts = [f"{error} (its {QEMU} has {state})" if state == "ended" else f"{error}"]
        for name in ("qemu.log", "console.log"):
            path = self.folder / name
            tail = path.read_text(errors="replace").splitlines()[-lines:] if path.exists() else []
            if tail:
                parts.append(f"--- end of {name}")
                parts += tail
        return "\n".join(parts)
