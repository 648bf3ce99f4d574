#!/usr/bin/python3
"""What can be said about the sources without compiling them. Prints TAP, a point for each rule.

    lint.py [--root DIR] [RULE...]

Files are those git knows, or all outside build folders where there is no git.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

MAX_FILE_LINES = 1000
MAX_FUNCTION_LINES = 120
FORMATTER_VERSION = 14

# The ranks of docs/design.md, section 2, times ten; the last digit orders folders within a rank where
# one builds on another. A file may include its own folder and folders of a lower number.
RANKS = {
    "abi": 0, "base": 1,
    "event": 10, "mem": 11, "api": 11,
    "device": 20, "cpu": 20, "state": 21, "crypto": 21, "accel.h": 25,
    "machine": 30,
    "block": 35, "chardev": 35, "net": 35, "ui": 35,
    "hw/bus/core": 40, "hw/bus/isa": 40, "hw/bus/pci": 40, "hw/bus/virtio": 42, "hw/bus/ide": 42,
    "hw/bus/scsi": 42, "hw/bus/usb": 42, "accel/kvm": 40, "accel/dbt": 40, "accel/qtest": 40,
    # include/hw/NAME.h: how a device is wired or asked, for the board and for its own file.
    "hw/interface": 45,
    "hw/device": 50,
    "hw/acpi": 60, "hw/smbios": 60, "hw/boot": 60, "hw/pc": 61, "hw/types": 62,
    "monitor": 70, "debug": 70, "tools": 70, "cli": 72, "main": 75,
}
BUSES = {row.removeprefix("hw/bus/") for row in RANKS if row.startswith("hw/bus/")}
BOARD = {"acpi", "smbios", "boot", "pc", "types"}

# Rules by pattern: what it is called, where it is looked for, what must not be there, and why.
# The words are split so that this file does not break its own rules.
FORBIDDEN = [
    ("no work notes without an issue number", r".*\.(c|h|py|sh|build|S)$",
     r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b(?!.{0,3}#\d)", "name an issue: '#12'"),
    ("no paths of one machine", r".*", r"(?<![\w.$}])/(wo" r"rk|ho" r"me/\w+)/", "keep paths relative"),
    ("no typedef of a structure", r".*\.[ch]$", r"^typedef\s+(struct|union|enum)\b[^;]*$",
     "write 'struct foo'"),
    ("no unbounded string functions", r".*\.[ch]$", r"\b(gets|strcpy|strcat|sprintf|vsprintf|strtok)\s*\(",
     "use one that knows the size"),
    ("devices take no locks and make no threads", r"hw/.*\.[ch]$", r"\b(pthread_|g_mutex_|g_thread_)\w+",
     "declare the lock (design, section 3)"),
    ("devices do not print", r"hw/.*\.c$", r"\b(printf|fprintf|puts|perror|g_print|g_warning)\s*\(",
     "use a trace point"),
    ("errors do not exit", r"(src/(?!main)|hw/|accel/|block/).*\.c$", r"(?<![\w.>])(exit|_exit)\s*\(",
     "return a GError"),
]
# Those whose purpose is just what a rule above forbids to others.
ALLOWED = {
    # The word is a directive of TAP.
    "no work notes without an issue number": re.compile(r"^scripts/checks\.py$"),
    # G_DEFINE_EXTENDED_ERROR wants a type name.
    "no typedef of a structure": re.compile(r"^src/base/error\.c$"),
    "errors do not exit": re.compile(r"^src/(cli|tools|base)/"),
}


class Tree:
    """The files of the project."""

    def __init__(self, root):
        self.root = root
        self.files = [name for name in self._list() if (root / name).is_file()]
        self.sources = [name for name in self.files if name.endswith((".c", ".h"))]
        self._texts = {}

    def _list(self):
        done = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                              cwd=self.root, capture_output=True, text=True)
        if done.returncode == 0:
            return sorted(set(done.stdout.splitlines()))
        found = (path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())
        return sorted(str(path) for path in found if not re.match(r"build|\.git/", str(path)))

    def text(self, name):
        if name not in self._texts:
            self._texts[name] = (self.root / name).read_text(errors="replace")
        return self._texts[name]

    def lines(self, name):
        return self.text(name).splitlines()


def hw_folder(parts, header):
    """The same for what follows hw/: bus/pci/config.c, char/serial.c, and of headers pci.h, pc/ich9.h."""
    stems = [part.removesuffix(".c").removesuffix(".h") for part in parts]
    if stems[0] == "bus":
        bus = stems[1] if stems[1] in BUSES else "core"
        return f"hw/bus/{bus}", f"hw/bus/{bus}"
    if header and stems[0] in BUSES:
        return f"hw/bus/{stems[0]}", f"hw/bus/{stems[0]}"
    if stems[0] in BOARD:
        return f"hw/{stems[0]}", f"hw/{stems[0]}"
    if header and len(parts) == 1:
        return "hw/interface", f"hw/{stems[0]}.h"
    return "hw/device", f"hw/{stems[0]}"


def folder_of(name):
    """The row of RANKS a source or header belongs to, and its folder; None for tests and the like."""
    parts = name.split("/")
    header = parts[0] == "include"
    if header or parts[0] == "src":
        parts = parts[1:]
    if parts == ["main.c"]:
        return "main", "main"
    if parts[0] == "hw" and len(parts) > 1:
        return hw_folder(parts[1:], header)
    if parts[0] == "accel" and len(parts) > 1:
        row = parts[1].removesuffix(".h")
        return ("accel.h", "accel.h") if row == "accel" else (f"accel/{row}", f"accel/{row}")
    if parts[0] in RANKS and len(parts) > 1:
        return parts[0], parts[0]
    return None, None


def resolve(tree, name, included):
    """The project's file that `#include "included"` in `name` means; None if it is not ours."""
    for candidate in (str(Path(name).parent / included), f"include/{included}", included):
        if (tree.root / candidate).is_file():
            return candidate
    return None


def rule_include_ranks(tree):
    """a file includes its own folder and lower ranks"""
    for name in tree.sources:
        row, own = folder_of(name)
        if row is None:
            if name.startswith(("src/", "include/", "hw/", "accel/", "block/")):
                yield f"{name}: this folder has no rank in docs/design.md"
            continue
        for number, line in enumerate(tree.lines(name), 1):
            match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
            target = resolve(tree, name, match.group(1)) if match else None
            other, folder = folder_of(target) if target else (None, None)
            if other is None or folder == own:
                continue
            if RANKS[other] >= RANKS[row]:
                yield (f"{name}:{number}: includes {match.group(1)}: {other} (rank {RANKS[other] / 10}) "
                       f"is not below {row} (rank {RANKS[row] / 10})")


def rule_file_size(tree):
    """no source file is longer than a thousand lines"""
    for name in tree.files:
        if name.endswith((".c", ".h", ".py", ".S")) and len(tree.lines(name)) > MAX_FILE_LINES:
            yield f"{name}: {len(tree.lines(name))} lines, {MAX_FILE_LINES} are the limit"


def rule_function_size(tree):
    """no function is longer than 120 lines"""
    for name in tree.sources:
        begin = None
        for number, line in enumerate(tree.lines(name), 1):
            if line == "{":
                begin = number
            elif line.startswith("}") and begin is not None:
                if number - begin - 1 > MAX_FUNCTION_LINES:
                    yield f"{name}:{begin}: a function of {number - begin - 1} lines"
                begin = None


def rule_text_only(tree):
    """no binary files"""
    for name in tree.files:
        data = (tree.root / name).read_bytes()
        try:
            data.decode()
        except UnicodeDecodeError:
            yield f"{name}: not UTF-8 text"
        if b"\0" in data:
            yield f"{name}: has NUL bytes"


def virtio_faces(tree):
    """What VIRTIO_PCI_FACES() defines, by symbol."""
    endings = {"pci": "-pci", "pci_transitional": "-pci-transitional", "pci_modern": "-pci-non-transitional"}
    for name in tree.sources:
        for ident, base in re.findall(r'^VIRTIO_PCI_FACES\((\w+), "([\w-]+)",', tree.text(name), re.MULTILINE):
            for part, ending in endings.items():
                yield f"{ident}_{part}_type", f'.name = "{base}{ending}",'


def device_types(tree):
    """The types of hw/types.c by symbol, each with the text of its definition or None."""
    faces = dict(virtio_faces(tree))
    text = tree.text("hw/types.c") if "hw/types.c" in tree.files else ""
    for symbol in re.findall(r"^\t&(\w+),$", text, re.MULTILINE):
        pattern = re.compile(rf"\bstruct device_type {symbol} = \{{(.*?)^\}};", re.DOTALL | re.MULTILINE)
        found = (pattern.search(tree.text(name)) for name in tree.sources)
        match = next((match for match in found if match), None)
        yield symbol, match.group(1) if match else faces.get(symbol)


def rule_device_pages(tree):
    """every device has a page in docs/devices"""
    pages = [name for name in tree.files if name.startswith("docs/devices/") and name.endswith(".md")]
    documented = {Path(name).stem for name in pages}
    for name in pages:
        for heading in re.findall(r"^#+ .*$", tree.text(name), re.MULTILINE):
            documented.update(re.split(r"[\s,`]+", heading))
    for symbol, body in device_types(tree):
        if body is None:
            yield f"hw/types.c: no definition 'struct device_type {symbol} = {{' found"
            continue
        name = re.search(r'\.name\s*=\s*"([^"]+)"', body)
        if re.search(r"TYPE_ABSTRACT|CATEGORY_(CPU|MACHINE|ACCEL|BACKEND)", body) or not name:
            continue
        if name.group(1) not in documented:
            yield (f"{name.group(1)}: no docs/devices/{name.group(1)}.md, "
                   "and no heading with this name in another page there")


def rule_format(tree):
    """clang-format has nothing to change"""
    tool = shutil.which(f"clang-format-{FORMATTER_VERSION}") or shutil.which("clang-format")
    if not tool:
        return "SKIP: clang-format is not installed"
    version = subprocess.check_output([tool, "--version"], text=True)
    if f"version {FORMATTER_VERSION}." not in version:
        return f"SKIP: needs clang-format {FORMATTER_VERSION}, here is {version.strip()}"
    done = subprocess.run([tool, "--dry-run", *tree.sources], cwd=tree.root, capture_output=True, text=True)
    found = re.findall(r"^(.*?:\d+):\d+: warning", done.stderr, re.MULTILINE)
    return sorted({name.split(":")[0] + ": run clang-format -i" for name in found})


def forbidden_rule(where, what, why, allowed):
    def rule(tree):
        for name in tree.files:
            if not re.match(where, name) or (allowed and allowed.search(name)):
                continue
            for number, line in enumerate(tree.lines(name), 1):
                if re.search(what, line):
                    yield f"{name}:{number}: {line.strip()[:80]} -- {why}"
    return rule


def all_rules():
    rules = [(rule.__doc__, rule) for rule in (
        rule_include_ranks, rule_file_size, rule_function_size, rule_text_only, rule_device_pages,
        rule_format)]
    for title, where, what, why in FORBIDDEN:
        rules.append((title, forbidden_rule(where, what, why, ALLOWED.get(title))))
    return rules


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("rules", nargs="*", help="only rules with one of these words in their title")
    args = parser.parse_args()
    tree = Tree(args.root)
    rules = [rule for rule in all_rules()
             if not args.rules or any(word in rule[0] for word in args.rules)]
    print(f"TAP version 13\n1..{len(rules)}")
    failed = 0
    for number, (title, rule) in enumerate(rules, 1):
        found = rule(tree)
        if isinstance(found, str):
            print(f"ok {number} - {title} # SKIP {found.removeprefix('SKIP: ')}")
            continue
        found = list(found)
        failed += bool(found)
        for line in found:
            print(f"# {line}")
        print(f"{'not ok' if found else 'ok'} {number} - {title}")
    return 1 if failed else 0


sys.exit(main())
