#!/usr/bin/python3
"""What interrupts cost a guest under Quail and under QEMU, in the KVM lab, for each kind of irqchip.

	irq-cost.py BUILD

Cycles of the time stamp counter from asking for an interrupt to going on after its handler (irq-cost.S), printed side
by side. In the lab a processor is emulated, so only the ratios say something. It needs a running lab (`lab start`).
"""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
KINDS = ["IPI to itself", "timer of the local APIC", "IOAPIC, ISA line", "MSI"]
VMMS = {"Quail": "quail", "QEMU": "/tmp/qemu-system-x86_64 -L /tmp"}
QEMU = ["/usr/bin/qemu-system-x86_64", "/usr/share/seabios/vgabios-stdvga.bin", "/usr/share/qemu/kvmvapic.bin"]
SECONDS = 20


def main():
    build = Path(sys.argv[1])
    lab = [str(ROOT / "tests/lab/lab"), "--build", str(build)]
    images = [str(build / f"tests/bench/irq-cost-{kind}.bin") for kind in range(len(KINDS))]

    subprocess.run([*lab, "push", "--to", "/tmp", *images, *filter(lambda f: Path(f).exists(), QEMU)], check=True)
    for kind, name in enumerate(KINDS):
        for chip in ("on", "split", "off"):
            cycles = [measure(lab, vmm, kind, chip) for vmm in VMMS.values()]
            ratio = f"{cycles[1] / cycles[0]:5.2f}x" if all(cycles) else "    -"
            print(f"{name:24} kernel-irqchip={chip:6}", *(f"{v} {c or '-':>9}" for v, c in zip(VMMS, cycles)), ratio)


def measure(lab, vmm, kind, chip):
    """Cycles, or None if it did not come to an end."""
    done = subprocess.run([*lab, "run", f"timeout {SECONDS} {vmm} -machine pc,kernel-irqchip={chip} -accel kvm "
                           f"-nodefaults -no-user-config -display none -bios /tmp/irq-cost-{kind}.bin "
                           "-device isa-debug-exit,iobase=0xf4,iosize=4 -chardev file,id=text,path=/tmp/irq-cost "
                           "-device isa-debugcon,iobase=0xe9,chardev=text -serial null -device edu,addr=4 "
                           "</dev/null >/tmp/irq-cost.log 2>&1; cat /tmp/irq-cost"], capture_output=True, text=True)
    try:
        return int(done.stdout, 16)
    except ValueError:
        return None


main()
