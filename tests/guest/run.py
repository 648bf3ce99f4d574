#!/usr/bin/python3
"""Runs the tiny guests under each accelerator that works on this host; prints TAP.

    run.py [--vmm BINARY] [--accel NAME]... IMAGE...

A guest's source, beside this file, says in its first lines what is expected of it:

    // output: TEXT    what it writes to port E9h (default: nothing)
    // exit: N         status of the process (default: 33, what PASS makes of isa-debug-exit)
    // args: ...       options of its own
    // needs: hardware it uses instructions that a KVM which emulates the guest's kernel lacks
    // lab cannot: REASON the processor of the KVM lab, which is QEMU's, does not do what is tested
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PASSED = 33
HANGS = 10  # seconds; far more than any guest takes anywhere
HEADER = re.compile(r"^// (output|exit|args|needs): (.*)$", re.MULTILINE)


class Guest:
    def __init__(self, image):
        self.image = image
        self.name = image.stem
        header = dict(HEADER.findall((HERE / f"{self.name}.S").read_text()))
        self.output = header.get("output", "")
        self.status = int(header.get("exit", PASSED))
        self.args = shlex.split(header.get("args", ""))
        self.needs_hardware = header.get("needs") == "hardware"

    def command(self, vmm, accel, text):
        return [vmm, "-machine", "pc", "-accel", accel, "-nodefaults", "-no-user-config",
                "-display", "none", "-bios", str(self.image),
                "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
                "-chardev", f"file,id=text,path={text}",
                "-device", "isa-debugcon,iobase=0xe9,chardev=text", *self.args]

    def run(self, vmm, accel):
        """What went wrong, or None."""
        with tempfile.NamedTemporaryFile() as text:
            try:
                done = subprocess.run(self.command(vmm, accel, text.name), timeout=HANGS,
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True)
            except subprocess.TimeoutExpired:
                return f"it hangs, after the output {Path(text.name).read_text()!r}"
            output = Path(text.name).read_text()
        if done.returncode != self.status:
            return f"status {done.returncode}, not {self.status}; {output!r} {done.stderr.strip()}"
        if output != self.output:
            return f"output {output!r}, not {self.output!r}"
        return None


def why_not(vmm, accel):
    """Why the accelerator cannot be used here, or None."""
    known = subprocess.run([vmm, "-accel", "help"], capture_output=True, text=True,
                           stdin=subprocess.DEVNULL, timeout=HANGS).stdout.split()
    if accel not in known:
        return f"{accel} is not built in"
    if accel == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "/dev/kvm cannot be opened"
    return None


def is_emulated(accel):
    """A KVM on a processor without virtualization runs the guest's kernel in an interpreter."""
    flags = Path("/proc/cpuinfo").read_text()
    return accel == "kvm" and not re.search(r"\b(vmx|svm)\b", flags)


def report(number, name, problem=None, skip=None):
    note = f" # SKIP {skip}" if skip else ""
    print(f"{'not ok' if problem else 'ok'} {number} {name}{note}", flush=True)
    if problem:
        print("# " + problem.replace("\n", "\n# "), flush=True)
    return bool(problem)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vmm", required=True)
    parser.add_argument("--accel", action="append")
    parser.add_argument("images", nargs="+", type=Path)
    args = parser.parse_args()
    guests = [Guest(image) for image in args.images]
    number = failures = 0
    accels = args.accel or ["kvm", "dbt"]
    print(f"1..{len(accels) * len(guests)}", flush=True)
    for accel in accels:
        reason = why_not(args.vmm, accel)
        for guest in guests:
            number += 1
            name = f"{accel}/{guest.name}"
            if reason:
                report(number, name, skip=reason)
            elif guest.needs_hardware and is_emulated(accel):
                report(number, name, skip="this host's KVM only emulates kernel code")
            else:
                failures += report(number, name, guest.run(args.vmm, accel))
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
