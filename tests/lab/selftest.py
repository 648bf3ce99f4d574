#!/usr/bin/python3
"""The lab's own test: what it promises its users, without Quail. Prints TAP."""

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from labkit import kernel as kernels  # noqa: E402
from labkit.channel import LabLost, decode, encode  # noqa: E402
from labkit.kernel import Kernel  # noqa: E402
from labkit.machine import Machine  # noqa: E402

CACHE = os.environ.get("QUAIL_CACHE", HERE.parent.parent / "build-cache")


def collect(machine, command, limit=60, stdin=None):
    output = bytearray()
    status = machine.channel().run(command, output.extend, limit, stdin)
    return status, bytes(output)


def every_byte_frames(machine):
    """the frame code gives back every byte"""
    data = bytes(range(256)) * 3
    raw = encode("O", data)
    assert raw[0] == raw[-1] == 0x7E and 0x7E not in raw[1:-1]
    assert decode(raw[1:-1]) == b"O" + data


def modules_in_order(machine):
    """modules come after those they need"""
    names = [path.stem for path in kernels.fetch(CACHE).modules("kvm-amd", "virtio_blk")]
    assert names.index("irqbypass") < names.index("kvm") < names.index("kvm-amd"), names
    assert names.index("virtio_ring") < names.index("virtio_blk"), names


def vmlinux_is_elf(machine):
    """the unpacked kernel is an ELF file with a Xen note for PVH"""
    data = kernels.fetch(CACHE).vmlinux().read_bytes()
    assert data[:4] == b"\x7fELF" and b"Xen\0" in data


def not_a_kernel(machine):
    """what is no bzImage is refused"""
    with tempfile.TemporaryDirectory() as folder:
        boot = Path(folder, "boot")
        boot.mkdir()
        (boot / "vmlinuz-1").write_bytes(bytes(4096))
        try:
            Kernel(folder).vmlinux()
        except Exception as error:
            assert "not a bzImage" in str(error), error
            return
        raise AssertionError("accepted")


def real_kvm(machine):
    """there is a /dev/kvm, by kvm-amd"""
    status, output = collect(machine, "test -c /dev/kvm && lsmod | grep -c ^kvm_amd")
    assert (status, output) == (0, b"1\n"), (status, output)


def status_and_output(machine):
    """a command's status and its output, errors included, come back as they are"""
    status, output = collect(machine, "echo out; echo err >&2; exit 42")
    assert (status, output) == (42, b"out\nerr\n"), (status, output)
    status, output = collect(machine, "kill -9 $$")
    assert status == 137, status


def binary_output(machine):
    """output may be any bytes, and more than a pipe holds"""
    status, output = collect(machine, "i=0; while [ $i -lt 256 ]; do printf \\\\x$(printf %x $i); "
                                      "i=$((i+1)); done; seq 1 40000")
    want = bytes(range(256)) + b"".join(b"%d\n" % i for i in range(1, 40001))
    assert status == 0 and output == want, (status, len(output), len(want))


def standard_input(machine):
    """a file can be a command's input"""
    with tempfile.TemporaryFile() as stream:
        stream.write(b"one\ntwo\n\x7e\x7d\x00")
        stream.seek(0)
        status, output = collect(machine, "cat", stdin=stream)
    assert (status, output) == (0, b"one\ntwo\n\x7e\x7d\x00"), (status, output)


def no_input(machine):
    """without one it is empty"""
    assert collect(machine, "cat; echo end") == (0, b"end\n")


def time_limit(machine):
    """a command that does not end is stopped, and the next one runs"""
    status, output = collect(machine, "echo begun; sleep 1000", limit=2)
    assert status is None and output == b"begun\n", (status, output)
    assert collect(machine, "pidof sleep || echo none") == (0, b"none\n")


def background(machine):
    """processes left behind live on until they are asked away"""
    collect(machine, "setsid sleep 1000 > /dev/null 2>&1 &")
    assert collect(machine, "pidof sleep > /dev/null && echo alive") == (0, b"alive\n")
    machine.channel().kill_all()
    assert collect(machine, "pidof sleep || echo none") == (0, b"none\n")


def lost_user(machine):
    """a user that vanishes in the middle of a command leaves a usable lab"""
    machine.channel().send("R", b"yes")
    time.sleep(0.5)
    machine.disconnect()
    assert collect(machine, "echo fine") == (0, b"fine\n")


def push_and_pull(machine):
    """megabytes go in and out unchanged"""
    data = random.Random(1).randbytes(16 << 20)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "data")
        source.write_bytes(data)
        begun = time.monotonic()
        machine.push(lambda tree: tree.file("tmp/a b/data", source))
        middle = time.monotonic()
        machine.pull(["/tmp/a b/data"], folder)
        print(f"# 16 MiB in {middle - begun:.1f} s, out {time.monotonic() - middle:.1f} s")
        assert Path(folder, "tmp/a b/data").read_bytes() == data
    collect(machine, "rm -r '/tmp/a b'")


def libraries_come_along(machine):
    """a pushed program brings its libraries"""
    machine.push(lambda tree: tree.binary("root/xz", "/usr/bin/xz"))
    status, output = collect(machine, "/root/xz --version")
    assert status == 0 and output.startswith(b"xz "), (status, output)


def crash_is_reported(machine):
    """a kernel crash ends the wait at once, with the console in the report"""
    begun = time.monotonic()
    try:
        collect(machine, "echo c > /proc/sysrq-trigger; sleep 600", limit=300)
    except LabLost as error:
        assert time.monotonic() - begun < 280
        report = machine.report(error)
        assert "Kernel panic" in report and "sysrq" in report, report
        return
    raise AssertionError("no report")


def nothing_left(machine):
    """after the stop there is no process of it"""
    machine.stop()
    left = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(machine.folder).encode() in (path.parent / "environ").read_bytes():
                left.append(path.read_bytes())
        except OSError:
            pass
    assert not left, left


def dies_with_its_parent(machine):
    """a lab that is not kept ends with the process that began it"""
    script = (f"import sys; sys.path.insert(0, {str(HERE)!r}); sys.dont_write_bytecode = True\n"
              "import selftest, os\n"
              f"m = selftest.start({str(machine.folder)!r}, {str(sys.argv[1])!r})\n"
              "print(m.pid(), flush=True); os.kill(os.getpid(), 9)\n")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert re.fullmatch(r"\d+\n", done.stdout), (done.stdout, done.stderr)
    deadline = time.monotonic() + 30
    while machine.pid() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert machine.pid() is None


WITHOUT_LAB = [every_byte_frames, modules_in_order, vmlinux_is_elf, not_a_kernel]
INSIDE = [real_kvm, status_and_output, binary_output, standard_input, no_input, time_limit, background,
          lost_user, push_and_pull, libraries_come_along, crash_is_reported]
AFTER = [nothing_left, dies_with_its_parent]


def start(folder, agent):
    machine = Machine(folder)
    machine.start(kernels.fetch(CACHE), Path(agent), HERE, 768, 2, keep=False)
    return machine


def main():
    tests = WITHOUT_LAB + INSIDE + AFTER
    print(f"TAP version 13\n1..{len(tests)}", flush=True)
    failed = 0
    machine = None
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number, test in enumerate(tests, 1):
                try:
                    if test is INSIDE[0]:
                        machine = start(folder, sys.argv[1])
                    test(machine)
                    word = "ok"
                except Exception as error:  # whatever it is, it belongs to this test
                    failed += 1
                    word = "not ok"
                    print("# " + repr(error).replace("\\n", "\n# "))
                print(f"{word} {number} - {test.__doc__}", flush=True)
        finally:
            if machine:
                machine.stop()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
