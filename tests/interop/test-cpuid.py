#!/usr/bin/python3
"""What CPUID says in the guest, leaf by leaf, next to QEMU's answer for the same command line.

A firmware image of ours executes CPUID for a list of leaves and writes the registers to the debug
console. It needs no more than real mode, so any KVM will do. Usage: test-cpuid.py QUAIL [QEMU]
"""
import os
import struct
import subprocess
import sys
import tempfile

LEAVES = ([(leaf, 0) for leaf in (0, 1, 2, 3, 5, 6, 9, 0xa, 0x40000000, 0x40000001, 0x40000002, 0x40000003,
                                  0x40000004, 0x40000005, 0x4000000a, 0x40000010, 0x40000080, 0x40000100, 0x40000101, 0x80000000, 0x80000001,
                                  0x80000002, 0x80000003, 0x80000004, 0x80000005, 0x80000006, 0x80000007, 0x80000008,
                                  0x8000000a, 0x8000001e)] +
          [(leaf, sub) for leaf in (4, 7, 0xb, 0xd, 0x1f, 0x8000001d) for sub in range(5)])

# -cpu, -smp: models of both vendors with and without caches of their own, topologies that need padding.
CASES = [
    ('qemu64', '1'), ('qemu64', '4'), ('kvm64', '2,sockets=1,cores=1,threads=2'),
    ('EPYC', '6,sockets=1,cores=3,threads=2'), ('EPYC-Rome', '4,sockets=2,dies=1,cores=2,threads=1'), ('EPYC-Milan', '1'),
    ('Opteron_G3', '2'), ('Skylake-Client', '4,sockets=1,cores=2,threads=2'), ('Nehalem', '3,sockets=1,cores=3,threads=1'),
    ('Cascadelake-Server', '8,sockets=1,dies=2,cores=2,threads=2'), ('486', '1'), ('pentium3', '1'), ('base', '1'), ('Haswell,-x2apic,kvm=off', '2'),
    ('qemu64,phys-bits=36,l3-cache=off,vendor=GenuineIntel', '2'), ('qemu64,family=25,model=33,stepping=2,model-id=Test CPU', '1'),
    ('Denverton,hypervisor=off', '1'), ('host,migratable=off,-arch-capabilities', '1'), ('max,-arch-capabilities', '1'),
    ('host,-arch-capabilities', '4,sockets=2,cores=1,threads=2'), ('EPYC-Rome,legacy-cache=on', '2'), ('host,-arch-capabilities,pmu=off', '1'),
    ('host,-arch-capabilities,host-phys-bits=off', '1'), ('EPYC,host-phys-bits=on,host-phys-bits-limit=39', '1'), ('host,-arch-capabilities,kvm=off', '1'),
    ('qemu64,kvm-pv-unhalt=on,-kvm-pv-eoi,kvm-poll-control=on,kvm-hint-dedicated=on', '1'), ('qemu64,pmu=on', '1'), ('host,-arch-capabilities,topoext=on', '2'), ('qemu64,level=1,xlevel=0x80000001', '1'),
    ('qemu64,hv-relaxed,hv-spinlocks=8191,hv-crash', '1'), ('qemu64,kvm=off,hv-relaxed,hv-runtime', '1'),
    ('Haswell,level-func7=0', '1'), ('qemu64,tsc-frequency=1000000000,invtsc=on,vmware-cpuid-freq=off', '1'),
]


def image():
    """The firmware: real mode, F000h segment."""
    out32 = bytes([0xee, 0x66, 0xc1, 0xc8, 0x08] * 4 + [0xc3])  # four times: out dx, al; ror eax, 8. Then ret
    head = bytes([0x31, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x70])    # xor ax, ax; mov ss, ax; mov sp, 7000h
    head += b'\xbe' + struct.pack('<H', 0x200) + b'\xbd' + struct.pack('<H', len(LEAVES))  # mov si, table; mov bp, count
    body = bytes([0x2e, 0x66, 0x8b, 0x04,                       # mov eax, cs:[si]
                  0x2e, 0x66, 0x8b, 0x4c, 0x04,                 # mov ecx, cs:[si + 4]
                  0x0f, 0xa2, 0x66, 0x89, 0xd7,                 # cpuid; mov edi, edx
                  0xba, 0xe9, 0x00])                            # mov dx, E9h
    for move in (b'', b'\x66\x89\xd8', b'\x66\x89\xc8', b'\x66\x89\xf8'):  # eax; ebx, ecx, edi to eax
        body += move
        at = len(head) + len(body)
        body += b'\xe8' + struct.pack('<h', 0x100 - (at + 3))   # call out32
    body += bytes([0x83, 0xc6, 0x08, 0x4d])                     # add si, 8; dec bp
    body += b'\x75' + struct.pack('<b', -(len(body) + 2))       # jnz
    tail = bytes([0xba, 0x01, 0x05, 0xb0, 0x00, 0xee, 0xf4])    # mov dx, 501h; mov al, 0; out dx, al; hlt
    rom = bytearray(64 * 1024)
    code = head + body + tail
    rom[0:len(code)] = code
    rom[0x100:0x100 + len(out32)] = out32
    table = b''.join(struct.pack('<II', *leaf) for leaf in LEAVES)
    rom[0x200:0x200 + len(table)] = table
    rom[0xfff0:0xfff5] = bytes([0xea, 0x00, 0x00, 0x00, 0xf0])
    return bytes(rom)


def cpuid(vmm, folder, cpu, smp):
    out = os.path.join(folder, 'out')
    argv = [vmm, '-machine', 'pc', '-accel', 'kvm', '-cpu', cpu, '-smp', smp, '-m', '16', '-nodefaults', '-display', 'none',
            '-bios', os.path.join(folder, 'rom'), '-device', 'isa-debug-exit,iobase=0x501,iosize=1',
            '-chardev', f'file,id=d,path={out}', '-device', 'isa-debugcon,iobase=0xe9,chardev=d']
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    if done.returncode != 1:
        raise RuntimeError(f'{vmm} ended with status {done.returncode}: {done.stdout.decode()[-300:]}')
    with open(out, 'rb') as f:
        data = f.read()
    if not data:  # the status is that of a refused option, too
        raise RuntimeError(f'{vmm} refused: {done.stdout.decode()[-300:]}')
    return dict(zip(LEAVES, struct.iter_unpack('<4I', data)))


def differences(ours, theirs):
    highest = {False: theirs[0, 0][0], True: theirs[0x80000000, 0][0]}
    for leaf in LEAVES:
        if leaf[0] == 0xd or 0x40000000 > leaf[0] > highest[False] or leaf[0] > max(highest[True], 0x80000000):
            continue  # the host's own: sizes of state components, and what lies above the last leaf
        if ours[leaf] != theirs[leaf]:
            def show(r):
                return ' '.join(f'{x:08x}' for x in r)
            yield f'{leaf[0]:08x}.{leaf[1]}: quail {show(ours[leaf])}, qemu {show(theirs[leaf])}'


def main():
    quail = sys.argv[1]
    qemu = sys.argv[2] if len(sys.argv) > 2 else 'qemu-system-x86_64'
    if not os.access('/dev/kvm', os.R_OK | os.W_OK):
        print('1..0 # SKIP no usable /dev/kvm')
        return 0
    print(f'1..{len(CASES)}')
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, 'rom'), 'wb') as f:
            f.write(image())
        for number, (cpu, smp) in enumerate(CASES, 1):
            try:
                theirs = cpuid(qemu, folder, cpu, smp)
            except RuntimeError as error:
                print(f'ok {number} - -cpu {cpu} -smp {smp} # SKIP {str(error).splitlines()[0][:100]}')
                continue
            found = list(differences(cpuid(quail, folder, cpu, smp), theirs))
            failed += bool(found)
            print(f'{"not ok" if found else "ok"} {number} - -cpu {cpu} -smp {smp}')
            for line in found:
                print(f'# {line}')
            sys.stdout.flush()
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
