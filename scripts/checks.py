#!/usr/bin/python3
"""Builds and runs all tests; scripts/check calls it once everything is installed.

Every TAP point counts, as does a test without TAP, a build, and a fuzz target. A test that ends badly
without a failed point of its own counts as one failure.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ROOT / "build-check"
FUZZ_SECONDS = 20
LOG_TAIL = 40
POINT = re.compile(r"^(ok|not ok)\b[ \t]*\d*[ \t]*(?:- )?(.*?)(?:\s+#\s*(SKIP|TODO)\b\s*(.*))?$",
                   re.IGNORECASE | re.MULTILINE)
SKIP_ALL = re.compile(r"^1\.\.0(?:\s+#\s*SKIP\S*\s*(.*))?$", re.IGNORECASE | re.MULTILINE)

SANITIZERS = ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
# Build folder: compiler, options of meson. The fuzz build makes its targets only.
CONFIGURATIONS = {
    "release": ("gcc", ["--buildtype=release"]),
    "sanitizers": ("gcc", ["--buildtype=debugoptimized", *SANITIZERS]),
    "fuzz": ("clang", ["--buildtype=debugoptimized", *SANITIZERS, "-Dfuzz=true"]),
}
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=0:abort_on_error=1",
    "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1",
}


class Tally:
    """What has passed, failed and been skipped."""

    def __init__(self):
        self.passed = 0
        self.failures = []
        self.skips = []

    def failure(self, name, log):
        tail = log.strip().splitlines()[-LOG_TAIL:]
        self.failures.append(name)
        print(f"\nFAILED {name}")
        for line in tail:
            print(f"    {line}")
        sys.stdout.flush()

    def skip(self, name, reason):
        self.skips.append((name, reason or "no reason given"))

    def finish(self):
        print()
        for name, reason in self.skips:
            print(f"skipped {name}: {reason}")
        for name in self.failures:
            print(f"failed {name}")
        line = f"{self.passed} passed, {len(self.failures)} failed"
        print(line + (f", {len(self.skips)} skipped" if self.skips else ""))
        return 1 if self.failures else 0


def step(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def jobs():
    return str(len(os.sched_getaffinity(0)))


def run_logged(command, env=None, limit=None):
    """Status and output, both streams as one. The whole process group ends with it."""
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **(env or {})},
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=limit)
        return process.returncode, output.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return 124, output.decode(errors="replace") + f"\nended after {limit} s"
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        raise


def build(tally, name):
    """The build folder, or None if it could not be built."""
    folder = BUILDS / name
    compiler, options = CONFIGURATIONS[name]
    compiler = f"ccache {compiler}" if shutil.which("ccache") else compiler
    step(f"building {name}")
    log = ""
    if not (folder / "build.ninja").exists():
        shutil.rmtree(folder, ignore_errors=True)
        status, log = run_logged(["meson", "setup", str(folder), str(ROOT), *options],
                                 {"CC": compiler})
        if status:
            tally.failure(f"setup of {name}", log)
            return None
    target = [name] if name == "fuzz" else []
    status, log = run_logged(["ninja", "-C", str(folder), "-j", jobs(), *target])
    if status:
        tally.failure(f"build of {name}", log)
        return None
    tally.passed += 1
    return folder


def count_tap(tally, name, entry):
    """Counts the points of one test's TAP; false if it has none."""
    text = entry.get("stdout", "")
    log = text + entry.get("stderr", "")
    none = SKIP_ALL.search(text)
    if none:
        tally.skip(name, none.group(1))
        return True
    points = POINT.findall(text)
    failed = [title for word, title, mark, _ in points
              if word.lower() == "not ok" and mark.upper() != "TODO"]
    for word, title, mark, reason in points:
        if mark.upper() == "SKIP":
            tally.skip(f"{name}: {title}" if title else name, reason)
        elif word.lower() == "ok" or mark.upper() == "TODO":
            tally.passed += 1
    for title in failed:
        tally.failure(f"{name}: {title}", context(log, title))
    if points and not failed and entry["result"] not in ("OK", "SKIP"):
        tally.failure(f"{name}: {entry['result'].lower()}", log)
    return bool(points)


def context(log, title):
    """The part of a log between the point before the failed one and that one."""
    lines = log.splitlines()
    points = [i for i, line in enumerate(lines) if line.startswith(("ok ", "not ok "))]
    end = next((i for i in points if lines[i].startswith("not ok") and title in lines[i]), None)
    if end is None:
        return log
    begin = max((i + 1 for i in points if i < end), default=0)
    return "\n".join(lines[begin:end + 1])


def count_test(tally, build_name, entry):
    name = f"{build_name} {entry['name']}"
    if count_tap(tally, name, entry):
        return
    log = entry.get("stdout", "") + entry.get("stderr", "")
    if entry["result"] == "OK":
        tally.passed += 1
    elif entry["result"] == "SKIP":
        tally.skip(name, (log.strip().splitlines() or [""])[-1])
    else:
        tally.failure(f"{name}: {entry['result'].lower()}", log)


def run_suites(tally, folder, label, selection, env=None, patience=1):
    """meson test with these --suite or --no-suite words; counts what its log says."""
    step(f"testing {label}")
    log_file = folder / "meson-logs" / f"{label.replace(' ', '-')}.json"
    log_file.unlink(missing_ok=True)
    status, output = run_logged(
        ["meson", "test", "-C", str(folder), "--no-rebuild", "--logbase", log_file.stem,
         "--num-processes", jobs(), "-t", str(patience), *selection], env)
    if not log_file.exists():
        if "No tests defined" not in output and "No suitable tests" not in output:
            tally.failure(f"meson test {label}", output)
        return
    before = len(tally.failures)
    for line in log_file.read_text().splitlines():
        count_test(tally, label, json.loads(line))
    if status and len(tally.failures) == before:
        tally.failure(f"meson test {label}: status {status}", output)


def run_fuzz(tally, folder, seconds):
    targets = sorted(path for path in (folder / "tests/fuzz").glob("fuzz-*")
                     if path.is_file() and os.access(path, os.X_OK))
    if not targets:
        tally.failure("fuzz targets", "there are none in the build")
    for target in targets:
        step(f"fuzzing {target.name} for {seconds} s")
        # What it writes on a crash stays there for who looks into it.
        found = folder / "found" / target.name
        found.mkdir(parents=True, exist_ok=True)
        corpus = folder / "corpus" / target.name
        corpus.mkdir(parents=True, exist_ok=True)
        status, log = run_logged(
            # One seed: the run of tomorrow on the same sources walks the same way.
            [str(target), "-seed=1", f"-max_total_time={seconds}", "-timeout=25", "-rss_limit_mb=2048",
             f"-artifact_prefix={found}/", str(corpus)], SANITIZER_OPTIONS, seconds * 10 + 60)
        if status:
            tally.failure(f"fuzz {target.name}", log)
        else:
            tally.passed += 1


def check(tally, quick, fuzz_seconds):
    release = build(tally, "release")
    sanitized = build(tally, "sanitizers")
    if release:
        run_suites(tally, release, "release", ["--no-suite", "lab"])
    if sanitized:
        run_suites(tally, sanitized, "sanitizers",
                   ["--no-suite", "lab", "--no-suite", "lint", "--no-suite", "interop"],
                   SANITIZER_OPTIONS, patience=4)
    if quick:
        tally.skip("the KVM lab and the fuzz targets", "--quick")
        return
    fuzz = build(tally, "fuzz")
    if fuzz:
        run_fuzz(tally, fuzz, fuzz_seconds)
    if release:
        run_suites(tally, release, "lab", ["--suite", "lab"])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="no KVM lab, no fuzzing")
    parser.add_argument("--fuzz-seconds", type=int, default=FUZZ_SECONDS, help="for each target")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tally = Tally()
    begun = time.monotonic()
    check(tally, args.quick, args.fuzz_seconds)
    step(f"done after {time.monotonic() - begun:.0f} s")
    return tally.finish()


sys.exit(main())
