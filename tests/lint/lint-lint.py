#!/usr/bin/python3
"""Every rule of lint.py must find the sin made for it here, and nothing in a clean tree."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

LINT = Path(__file__).resolve().parent / "lint.py"
LONG_BODY = "\tcall();\n" * 121
DEVICE = 'const struct device_type led_type = {\n\t.name = "led",\n\t.category = CATEGORY_MISC,\n};\n'
TYPES = "static const struct device_type *const rows[] = {\n\t&led_type,\n};\n"

CLEAN = {
    "include/base/a.h": "struct a;\n",
    "include/device/d.h": '#include "base/a.h"\n',
    "include/hw/pci.h": '#include "device/d.h"\n',
    "hw/misc/led.c": '#include "hw/pci.h"\n\n' + DEVICE,
    "hw/types.c": TYPES,
    "docs/devices/led.md": "# The light\n",
    "src/mem/m.c": "/* see #12 */\nvoid f(void)\n{\n\tcall();\n}\n",
}

# Part of the rule's title: files that break it.
SINS = {
    "own folder": [
        {"include/base/a.h": '#include "device/d.h"\n'},
        {"include/mem/m.h": '#include "api/x.h"\n', "include/api/x.h": ""},
        {"hw/misc/led.c": '#include "hw/net/n.h"\n', "include/hw/net/n.h": ""},
        {"src/nowhere/x.c": "int x;\n"},
    ],
    "thousand lines": [{"src/mem/m.c": "\n" * 1001}],
    "120 lines": [{"src/mem/m.c": f"void f(void)\n{{\n{LONG_BODY}}}\n"}],
    "binary": [{"src/mem/m.c": "a\0b\n"}],
    "every device": [{"docs/devices/led.md": None}, {"hw/misc/led.c": "int led;\n"}],
    "clang-format": [{"src/mem/m.c": "void f( void ) { call( ); }\n"}],
    "work notes": [{"src/mem/m.c": "/* TO" "DO: all */\n"}],
    "one machine": [{"docs/x.md": "see /ho" "me/me/x\n"}],
    "typedef": [{"src/mem/m.c": "typedef struct {\n\tint x;\n} y;\n"}],
    "string functions": [{"src/mem/m.c": "void f(void)\n{\n\tstrcpy(a, b);\n}\n"}],
    "no locks": [{"hw/misc/led.c": "void f(void)\n{\n\tpthread_mutex_lock(m);\n}\n" + DEVICE}],
    "do not print": [{"hw/misc/led.c": 'void f(void)\n{\n\tprintf("x");\n}\n' + DEVICE}],
    "do not exit": [{"src/mem/m.c": "void f(void)\n{\n\texit(1);\n}\n"}],
}


def lint(files):
    """The output of lint.py over a tree of just these files."""
    with tempfile.TemporaryDirectory() as root:
        style = LINT.parents[2] / ".clang-format"
        for name, text in {**files, ".clang-format": style.read_text()}.items():
            if text is not None:
                path = Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        return subprocess.run([sys.executable, LINT, "--root", root], capture_output=True,
                              text=True).stdout


def main():
    titles = re.findall(r"^(?:not )?ok \d+ - (.*)$", clean := lint(CLEAN), re.MULTILINE)
    points = [("the clean tree is clean", "\nnot ok" not in clean, clean)]
    for title in titles:
        if "# SKIP" in title:
            points.append((title, True, ""))
            continue
        sins = next((sins for words, sins in SINS.items() if words in title), [])
        outputs = [lint({**CLEAN, **sin}) for sin in sins]
        caught = [re.search(rf"^not ok \d+ - {re.escape(title)}$", out, re.MULTILINE) for out in outputs]
        points.append((f"caught: {title}", bool(sins) and all(caught), "\n".join(outputs)))
    print(f"TAP version 13\n1..{len(points)}")
    for number, (title, good, output) in enumerate(points, 1):
        if not good:
            print("# " + output.replace("\n", "\n# "))
        print(f"{'ok' if good else 'not ok'} {number} - {title}")
    return 0 if all(good for _, good, _ in points) else 1


sys.exit(main())
