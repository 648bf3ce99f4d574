#!/usr/bin/python3
"""SeaBIOS and what it boots, on the software accelerator and in part on the host's /dev/kvm; prints TAP.

    firmware.py --vmm BINARY BIOS-CALLS.ROM

What appears on the serial port is the BIOS's own screen (-machine graphics=off), what it logs comes from port
402h. Even a KVM that emulates the guest's kernel runs what is asked of it here: it is mostly real mode.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HANGS = 400  # seconds; nothing waits so long but what has failed
LKRN = "/boot/ipxe.lkrn"


class Failed(Exception):
    pass


class Guest:
    """A machine with SeaBIOS; its screen as a stream of bytes."""

    def __init__(self, vmm, folder, *args):
        vmm, accel = vmm
        self.log = Path(folder) / "log"
        self.text = b""
        ours, theirs = socket.socketpair()
        self.screen = ours
        command = [vmm, "-machine", "pc,graphics=off", "-accel", accel, "-m", "64", "-nodefaults",
                   "-no-user-config", "-display", "none",
                   "-chardev", f"socket,id=screen,fd={theirs.fileno()}", "-serial", "chardev:screen",
                   "-chardev", f"file,id=log,path={self.log}",
                   "-device", "isa-debugcon,iobase=0x402,chardev=log", *args]
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        theirs.close()
        self.deadline = time.monotonic() + HANGS

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.screen.close()

    def fail(self, what):
        self.process.kill()
        said = self.process.communicate()[0]
        raise Failed(f"{what}\nscreen: {self.text!r}\nVMM: {said}")

    def more(self, what):
        self.screen.settimeout(max(0.01, self.deadline - time.monotonic()))
        try:
            data = self.screen.recv(4096)
        except socket.timeout:
            data = b""
        if not data:
            self.fail(f"{what} did not appear")
        self.text += data

    def seen(self, pattern):
        """Waits for it; the screen from then on is what came after it."""
        while not (found := re.search(pattern, self.text)):
            self.more(pattern)
        before, self.text = self.text[:found.start()], self.text[found.end():]
        return before, found

    def type(self, keys):
        self.screen.sendall(keys)

    def ends(self, status):
        try:
            while self.screen.recv(4096):
                pass
        except ConnectionResetError:
            pass
        if self.process.wait(HANGS) != status:
            raise Failed(f"status {self.process.returncode}, not {status}")


def banner(vmm, folder, rom):
    with Guest(vmm, folder) as guest:
        guest.seen(rb"SeaBIOS \(version ")
        guest.seen(rb"No bootable device\.")
        log = guest.log.read_text()
        for line in ("SeaBIOS (version", "Found QEMU fw_cfg",
                     "QEMU fw_cfg DMA interface supported", "ACPI: parse DSDT", "No bootable device."):
            if line not in log:
                guest.fail(f"'{line}' is not in the log:\n{log}")


def bios_calls(vmm, folder, rom):
    with Guest(vmm, folder, "-option-rom", f"{rom},bootindex=0", "-boot", "strict=on") as guest:
        guest.seen(rb"BIOS calls\r\n")
        said, _ = guest.seen(rb"keys: ")
        if b"!" in said:
            guest.fail(f"complaints: {said!r}")
        wanted = [rb"int10 columns 00000050\r", rb"int12 0000027F\r", rb"int13 none\r",
                  rb"e820 0000000000000000 000000000009FC00 00000001\r",
                  rb"e820 0000000000100000 0000000003E\w{5} 00000001\r",
                  rb"e801 00003C00\r", rb"a20 works\r", rb"int1a ticks\r"]
        for line in wanted:
            if not re.search(line, said):
                guest.fail(f"{line} is not in {said!r}")
        guest.type(b"Quail?q")
        guest.seen(rb"^Quail\?q\r\nBIOS calls done\r\n")
        # strict: only what has a boot index is tried.
        said, _ = guest.seen(rb"No bootable device\.")
        if b"Booting from" in said:
            guest.fail(f"strict=on, but it goes on: {said!r}")


def falls_through(vmm, folder, rom):
    with Guest(vmm, folder, "-option-rom", f"{rom},bootindex=0") as guest:
        guest.seen(rb"keys: ")
        guest.type(b"q")
        guest.seen(rb"BIOS calls done")
        guest.seen(rb"Booting from Floppy\.\.\.")
        guest.seen(rb"Booting from Hard Disk\.\.\.")
        guest.seen(rb"No bootable device\.")


def menu(vmm, folder, rom):
    with Guest(vmm, folder, "-option-rom", rom, "-boot", "menu=on,splash-time=60000") as guest:
        guest.seen(rb"Press ESC for boot menu")
        guest.type(b"\x1b")
        guest.seen(rb"Select boot device:")
        _, found = guest.seen(rb"(\d)\. [^\r]*BIOS calls")
        guest.type(found.group(1))
        guest.seen(rb"keys: ")


def reboot_timeout(vmm, folder, rom):
    with Guest(vmm, folder, "-boot", "reboot-timeout=50", "-no-reboot") as guest:
        guest.seen(rb"No bootable device\.\s+Retrying in")
        guest.ends(0)


def boot_once(vmm, folder, rom):
    with Guest(vmm, folder, "-option-rom", f"{rom},bootindex=0",
               "-boot", "order=ndc,once=d,strict=on,reboot-timeout=50") as guest:
        guest.seen(rb"cmos order 00000003\r")
        guest.seen(rb"keys: ")
        guest.type(b"q")
        guest.seen(rb"cmos order 00002034\r")


def ipxe(vmm, folder, rom):
    with Guest(vmm, folder, "-bios", "bios-256k.bin", "-kernel", LKRN) as guest:
        guest.seen(rb"Booting from ROM")
        guest.seen(rb"Open Source Network Boot Firmware")
        guest.seen(rb"Press Ctrl-B")
        guest.type(b"\x02")
        guest.seen(rb"iPXE>")


TESTS = [("dbt", test) for test in
         (banner, bios_calls, falls_through, menu, reboot_timeout, boot_once, ipxe)]
TESTS += [("kvm", banner), ("kvm", bios_calls)]


def why_not(accel, test):
    if accel == "kvm" and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "/dev/kvm cannot be opened"
    if not any(Path(folder, "bios-256k.bin").exists() for folder in
               ("/usr/share/seabios", "/usr/share/qemu")):
        return "there is no SeaBIOS: install the package seabios"
    if test is ipxe and not Path(LKRN).exists():
        return "there is no iPXE: install the package ipxe"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--vmm", required=True)
    parser.add_argument("rom")
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    tests = [(accel, test) for accel, test in TESTS if not args.names or test.__name__ in args.names]
    failures = 0
    print(f"1..{len(tests)}", flush=True)
    for number, (accel, test) in enumerate(tests, 1):
        reason, problem = why_not(accel, test), None
        if not reason:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    test((args.vmm, accel), folder, args.rom)
                except Failed as failed:
                    problem = str(failed)
        note = f" # SKIP {reason}" if reason else ""
        print(f"{'not ok' if problem else 'ok'} {number} {accel}/{test.__name__}{note}", flush=True)
        if problem:
            failures += 1
            print("# " + problem.replace("\n", "\n# "), flush=True)
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main())
