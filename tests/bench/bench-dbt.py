#!/usr/bin/python3
"""The software accelerator beside QEMU's TCG, in one run: processor time of the VMM for a stock kernel's
boot to the end of its first program, and for work in the guest beyond that. A ratio above 1 says that Quail
needs less.

    bench-dbt.py [--vmm QUAIL] [--rounds N]

Kernel and initramfs are the lab's (tests/lab/lab)."""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LAB = ROOT / "tests" / "lab" / "lab"
LIMIT = 600

BOOT = ("boot to init and power off", "true")
WORK = [
    ("2 M double additions in awk", "awk 'BEGIN { for (i = 0; i < 2000000; i++) x += 0.5 }'"),
    ("integer work: 8 MiB through md5sum", "head -c 8388608 /dev/zero | md5sum > /dev/null"),
    ("memory copy: dd of 512 MiB", "dd if=/dev/zero of=/dev/null bs=1M count=512 2> /dev/null"),
    ("system calls: dd of 200,000 bytes", "dd if=/dev/zero of=/dev/null bs=1 count=200000 2> /dev/null"),
    ("200 fork and exec", "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i + 1)); done"),
]


def processor_time(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=LIMIT, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run(vmm, accel, kernel, initramfs, folder):
    """Processor seconds of a guest that runs the initramfs' command and powers off."""
    status = Path(folder, "status")
    status.unlink(missing_ok=True)
    seconds = processor_time(
        [vmm, "-M", "pc", "-accel", accel, "-m", "256", "-nodefaults", "-display", "none", "-no-reboot",
         "-kernel", kernel, "-initrd", initramfs, "-append", "console=ttyS0 quiet panic=-1",
         "-serial", f"file:{folder}/console", "-serial", f"file:{folder}/output",
         "-serial", f"file:{status}"])
    if not status.exists() or status.read_text().strip() != "0":
        raise RuntimeError(f"{vmm}: the guest did not do its work")
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vmm", default=str(ROOT / "build" / "quail"))
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    kernel = subprocess.run([LAB, "kernel"], capture_output=True, text=True, check=True).stdout.strip()
    machines = {"quail": (args.vmm, "dbt"), "qemu": ("qemu-system-x86_64", "tcg,thread=single")}
    boot = {}
    print(f"{'processor seconds':40} {'quail':>8} {'qemu':>8} {'ratio':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for name, command in [BOOT] + WORK:
            initramfs = f"{folder}/initramfs"
            subprocess.run([LAB, "initramfs", initramfs, "--batch", command], check=True,
                           stdout=subprocess.DEVNULL)
            best = {}
            for who, (vmm, accel) in machines.items():
                best[who] = min(run(vmm, accel, kernel, initramfs, folder)
                                for _ in range(args.rounds))
            if not boot:
                boot = dict(best)
                shown = best
            else:
                shown = {who: max(best[who] - boot[who], 0.01) for who in best}
            print(f"{name:40} {shown['quail']:8.2f} {shown['qemu']:8.2f} "
                  f"{shown['qemu'] / shown['quail']:6.2f}x", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
