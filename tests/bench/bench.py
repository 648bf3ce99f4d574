#!/usr/bin/python3
"""Figures of Quail and of Debian's QEMU, taken in the same run and printed as ratios.

	bench.py [--quail BUILD/quail] [--qemu qemu-system-x86_64] [--bare BUILD/tests/bench/bare-kvm]
	         [--rounds N] [start|memory|exits ...]

start	process start to first guest instruction: a tiny firmware image that writes to isa-debug-exit
memory	private memory beyond guest RAM, of a machine whose guest sits in a loop
exits	port and MMIO exits per second, and their cost over a bare KVM_RUN loop

Nothing here passes or fails: a busy machine makes figures worse, not tests red.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

EXIT_PORT = 0x501
EXITS = 20000


EXIT_VALUE = 0x10  # the guest's; no status that a VMM has by itself
GDT = 0x100  # where flat_gdt() stands in an image


def image(code, gdt=b''):
    """A 64 KiB firmware image: @code at F000:0000, and a jump to it at the reset vector."""
    rom = bytearray(64 * 1024)
    rom[0:len(code)] = code
    rom[GDT:GDT + len(gdt)] = gdt
    rom[0xfff0:0xfff5] = bytes([0xea, 0x00, 0x00, 0x00, 0xf0])  # jmp far F000:0000
    return bytes(rom)


def out_exit():
    return bytes([0xb0, EXIT_VALUE, 0xba, EXIT_PORT & 0xff, EXIT_PORT >> 8, 0xee, 0xf4])


def flat_gdt():
    """Two descriptors, the second a data segment of 4 GiB; then what LGDT reads."""
    flat = bytes([0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0])
    return bytes(8) + flat + (15).to_bytes(2, 'little') + (0xf0000 + GDT).to_bytes(4, 'little')


def flat_data():
    """cli; lgdt; into protected mode to load DS with the flat descriptor, and back."""
    pointer = (GDT + 16).to_bytes(2, 'little')
    return (bytes([0xfa, 0x2e, 0x66, 0x0f, 0x01, 0x16]) + pointer +
            bytes([0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, 0xbb, 0x08, 0x00, 0x8e, 0xdb,
                   0x24, 0xfe, 0x0f, 0x22, 0xc0]))


def loop(count, body):
    """mov ecx, count; 1: body; dec ecx; jnz 1b"""
    head = bytes([0x66, 0xb9]) + count.to_bytes(4, 'little')
    tail = bytes([0x66, 0x49, 0x0f, 0x85])
    back = -(len(body) + len(tail) + 2)
    return head + body + tail + back.to_bytes(2, 'little', signed=True)


IMAGES = {
    'start': image(out_exit()),
    'idle': image(bytes([0xeb, 0xfe])),  # jmp $
    # mov dx, 80h; in al, dx: a port where nothing has side effects
    'pio': image(loop(EXITS, bytes([0xba, 0x80, 0x00, 0xec])) + out_exit()),
    # mov al, [FE000000h]: where nothing is mapped
    'mmio': image(flat_data() + loop(EXITS, bytes([0x67, 0xa0, 0x00, 0x00, 0x00, 0xfe])) + out_exit(), flat_gdt()),
}


class Bench:
    def __init__(self, args, folder):
        self.args = args
        self.paths = {}
        for name, content in IMAGES.items():
            self.paths[name] = os.path.join(folder, name + '.bin')
            with open(self.paths[name], 'wb') as f:
                f.write(content)

    def command(self, vmm, machine, name, extra=()):
        return [vmm, '-machine', machine, '-accel', self.args.accel, '-m', '128', '-nodefaults', '-display', 'none',
                '-no-user-config', '-bios', self.paths[name],
                '-device', f'isa-debug-exit,iobase={EXIT_PORT:#x},iosize=1', *extra]

    def run_to_exit(self, argv):
        start = time.monotonic()
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=120)
        took = time.monotonic() - start
        if done.returncode != EXIT_VALUE << 1 | 1:  # isa-debug-exit's; 1 would be a failed start
            raise RuntimeError(f'{argv[0]}: status {done.returncode}: {done.stderr.decode()[:300]}')
        return took

    def best(self, argvs):
        """Rounds of all commands in turn, so that a busy moment hits all alike: medians in seconds."""
        times = [[] for _ in argvs]
        for _ in range(self.args.rounds):
            for i, argv in enumerate(argvs):
                times[i].append(self.run_to_exit(argv))
        return [statistics.median(t) for t in times]

    def start(self, machine):
        quail, qemu = self.best([self.command(self.args.quail, machine, 'start'),
                                 self.command(self.args.qemu, machine, 'start')])
        row(f'start to first guest instruction, {machine}', quail * 1e3, qemu * 1e3, 'ms')

    def private_kib(self, vmm, machine):
        process = subprocess.Popen(self.command(vmm, machine, 'idle'), stdin=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        try:
            time.sleep(1.5)
            if process.poll() is not None:
                raise RuntimeError(f'{vmm}: {process.stderr.read().decode()[:300]}')
            return private_beyond_guest(process.pid)
        finally:
            process.kill()
            process.wait()

    def memory(self, machine):
        row(f'private memory beyond guest RAM, {machine}', self.private_kib(self.args.quail, machine) / 1024,
            self.private_kib(self.args.qemu, machine) / 1024, 'MiB')

    def exits(self, name):
        quail, qemu, quail0, qemu0 = self.best(
            [self.command(self.args.quail, 'pc', name), self.command(self.args.qemu, 'pc', name),
             self.command(self.args.quail, 'pc', 'start'), self.command(self.args.qemu, 'pc', 'start')])
        bare = min(self.bare(name) for _ in range(self.args.rounds))
        per_quail = (quail - quail0) / EXITS * 1e9
        per_qemu = (qemu - qemu0) / EXITS * 1e9
        row(f'{name} exit, whole', per_quail, per_qemu, 'ns')
        row(f'{name} exit, over a bare loop of {bare:.0f} ns', per_quail - bare, per_qemu - bare, 'ns')

    def bare(self, name):
        out = subprocess.run([self.args.bare, self.paths[name]], stdout=subprocess.PIPE, check=True).stdout
        exits, ns = map(int, out.split())
        return ns / exits


def private_beyond_guest(pid):
    """KiB of private pages outside the mapping that is guest RAM (128 MiB)."""
    total, is_guest = 0, False
    with open(f'/proc/{pid}/smaps') as smaps:
        for line in smaps:
            word = line.split()
            if '-' in word[0] and not word[0].endswith(':'):
                low, high = (int(x, 16) for x in word[0].split('-'))
                is_guest = high - low == 128 << 20
            elif word[0] in ('Private_Clean:', 'Private_Dirty:') and not is_guest:
                total += int(word[1])
    return total


def row(what, quail, qemu, unit):
    ratio = f'{qemu / quail:6.2f}x' if quail > 0 and qemu > 0 else '      -'
    print(f'{what:52} quail {quail:10.2f} {unit:3}  qemu {qemu:10.2f} {unit:3}  {ratio}', flush=True)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    build = os.path.join(here, '..', '..', 'build')
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--quail', default=os.path.join(build, 'quail'))
    parser.add_argument('--qemu', default='qemu-system-x86_64')
    parser.add_argument('--bare', default=os.path.join(build, 'tests', 'bench', 'bare-kvm'))
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--accel', default='kvm')
    parser.add_argument('what', nargs='*', default=['start', 'memory', 'exits'])
    args = parser.parse_args()
    if args.accel == 'kvm' and not os.access('/dev/kvm', os.R_OK | os.W_OK):
        print('bench: no usable /dev/kvm here', file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, folder)
        if 'start' in args.what:
            bench.start('pc')
            bench.start('microvm')
        if 'memory' in args.what:
            bench.memory('pc')
            bench.memory('microvm')
        if 'exits' in args.what:
            bench.exits('pio')
            bench.exits('mmio')
    return 0


if __name__ == '__main__':
    sys.exit(main())
