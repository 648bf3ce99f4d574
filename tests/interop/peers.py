"""What tests with peers share: TAP, running programs, and a QEMU to ask."""
import struct
import subprocess
import sys

QEMU = "qemu-system-x86_64"


class Report:
    """TAP on standard output."""

    def __init__(self):
        self.count = self.failed = 0

    def check(self, problems, what):
        self.count += 1
        self.failed += bool(problems)
        print("%s %d %s" % ("not ok" if problems else "ok", self.count, what))
        for problem in problems:
            print("# " + str(problem).replace("\n", "\n# "))
        sys.stdout.flush()


def run(*argv, cwd=None):
    return subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300)


class Qtest:
    """A stopped QEMU, or a program like it, whose ports and memory we drive."""

    DESCRIPTOR, BUFFER = 0x10000, 0x100000

    def __init__(self, options, program=QEMU, accel="tcg"):
        argv = [program, "-nodefaults", "-display", "none", "-S", "-accel", accel,
                "-qtest", "stdio", "-qtest-log", "none"] + options
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)

    def command(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("OK"):
                return line.split()[1:]
        raise RuntimeError("QEMU ended at '%s'" % text)

    def read(self, address, size):
        data = b""
        for at in range(0, size, 4096):
            part = self.command("read %#x %d" % (address + at, min(4096, size - at)))
            data += bytes.fromhex(part[0][2:])
        return data

    def fw_cfg(self, key, size):
        command = struct.pack(">IIQ", key << 16 | 0xa, size, self.BUFFER)
        self.command("write %#x %d 0x%s" % (self.DESCRIPTOR, len(command), command.hex()))
        self.command("outl 0x514 0")
        self.command("outl 0x518 %#x" % int.from_bytes(struct.pack(">I", self.DESCRIPTOR), "little"))
        return self.read(self.BUFFER, size)

    def files(self):
        """fw_cfg's directory: key and size by name."""
        count = struct.unpack(">I", self.fw_cfg(0x19, 4))[0]
        directory = self.fw_cfg(0x19, 4 + 64 * count)
        found = {}
        for i in range(count):
            size, key, _, name = struct.unpack_from(">IHH56s", directory, 4 + 64 * i)
            found[name.rstrip(b"\0").decode()] = key, size
        return found

    def file(self, name):
        return self.fw_cfg(*self.files()[name])

    def close(self):
        self.process.kill()
        self.process.communicate()
