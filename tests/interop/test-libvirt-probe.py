#!/usr/bin/env python3
"""How libvirt 9 asks a binary what it can do: its argument list, its questions in order, and of each
answer what libvirt reads. Where a QEMU is at hand, what we say of CPUs is compared with what it says.

Usage: test-libvirt-probe.py QUAIL; QEMU is taken from $QEMU or PATH.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from peers import Report

DEVICES = """virtio-blk-pci virtio-net-pci virtio-scsi-pci virtio-net-ccw virtio-scsi-ccw vfio-pci scsi-hd ide-hd PIIX4_PM
usb-redir usb-storage kvm-pit VGA vmware-svga qxl virtio-gpu-pci virtio-gpu-device ICH9-LPC virtio-balloon-pci
virtio-balloon-ccw virtio-balloon-device intel-iommu mch nvdimm pcie-root-port usb-host vhost-user-fs-device
virtio-mem-pci virtio-iommu-pci""".split()
# Rows of QEMU's -cpu that are about its own innards, or about where a CPU sits.
NOT_OURS = {"memory", "realized", "start-powered-off", "tcg-cpuid", "ucode-rev", "lbr-fmt", "lbr_fmt", "level-func7",
            "min-xlevel2", "kvm-no-smi-migration", "x-migrate-smi-count", "x-vendor-cpuid-only", "x-intel-pt-auto-level",
            "x-hv-synic-kvm-only", "x-hv-max-vps", "kvm-pv-enforce-cpuid",
            "apic-id", "node-id", "socket-id", "die-id", "core-id", "thread-id"}


class Failed(Exception):
    pass


class Probe:
    """A process as libvirt starts it, in the background, and its monitor."""

    def __init__(self, program, accel, folder):
        path, pid_file = os.path.join(folder, "qmp.monitor"), os.path.join(folder, "qmp.pid")
        argv = [program, "-S", "-no-user-config", "-nodefaults", "-nographic", "-machine", "none,accel=" + accel,
                "-qmp", f"unix:{path},server=on,wait=off", "-pidfile", pid_file, "-daemonize"]
        env = {"LC_ALL": "C", "PATH": os.environ["PATH"], "HOME": folder}
        for name in ("DATA", "CACHE", "CONFIG"):
            env[f"XDG_{name}_HOME"] = folder
        # Reading to the end: the child must have closed its output.
        done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=120)
        if done.returncode:
            raise Failed(f"ended with status {done.returncode}: {done.stderr}")
        with open(pid_file) as f:
            self.pid = int(f.read())
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rwb")
        self.count = 0
        self.greeting = self.line()

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise Failed(f"no CR LF after {line[-40:]!r}")
        return json.loads(line)

    def ask(self, command, **arguments):
        self.count += 1
        request = {"execute": command, "id": f"libvirt-{self.count}"}
        if arguments:
            request["arguments"] = arguments
        self.file.write(json.dumps(request).encode() + b"\r\n")
        self.file.flush()
        while True:
            reply = self.line()
            if "event" not in reply:
                break
        if reply.get("id") != request["id"]:
            raise Failed(f"id of the reply is {reply.get('id')}")
        return reply

    def end(self):
        """SIGTERM, and until it is gone."""
        os.kill(self.pid, signal.SIGTERM)
        while self.file.read(4096):
            pass
        while os.path.exists(f"/proc/{self.pid}"):
            with open(f"/proc/{self.pid}/stat") as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return
            time.sleep(0.01)

    def kill(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def good(reply):
    if "return" not in reply:
        raise Failed(f"error {reply['error']}")
    return reply["return"]


def refused(reply, *classes):
    """The reply, or None after an error of a class that libvirt takes for 'no'."""
    if "error" in reply and reply["error"]["class"] not in classes:
        raise Failed(f"error {reply['error']}, legal: {' '.join(classes) or 'none'}")
    return reply.get("return")


def names(reply, key="name"):
    return [entry[key] for entry in good(reply)]


def want(condition, text):
    if not condition:
        raise Failed(text)


def basics(p, report, is_kvm):
    def version():
        v = good(p.ask("query-version"))
        want((v["qemu"]["major"], v["qemu"]["minor"]) >= (4, 2) and "package" in v, str(v))

    def commands():
        p.commands = names(p.ask("query-commands"))
        for name in ("query-cpu-definitions", "query-cpu-model-expansion", "query-hotpluggable-cpus"):
            want(name in p.commands, name + " is not listed")

    def kvm():
        state = good(p.ask("query-kvm"))
        want((state["enabled"] and state["present"]) == is_kvm, str(state))

    def types():
        p.types = names(p.ask("qom-list-types"))
        for name in ("max-x86_64-cpu", "isa-serial", "memory-backend-file", "memory-backend-memfd", "memory-backend-ram"):
            want(name in p.types, name + " is not listed")

    step(report, "qmp_capabilities", lambda: want(good(p.ask("qmp_capabilities")) == {}, "not empty"))
    step(report, "query-version", version)
    step(report, "query-target", lambda: want(good(p.ask("query-target"))["arch"] == "x86_64", "arch"))
    step(report, "query-qmp-schema", lambda: check_schema(good(p.ask("query-qmp-schema"))))
    step(report, "query-commands", commands)
    step(report, "query-kvm", kvm)
    step(report, "qom-list-types", types)


def check_schema(schema):
    entries = {e["name"]: e for e in schema}
    features = entries["device_add"].get("features", [])
    want("json-cli-hotplug" in features, f"features of device_add: {features}")


def device_properties(p):
    for name in DEVICES:
        reply = p.ask("device-list-properties", typename=name)
        want((refused(reply, "DeviceNotFound") is not None) == (name in p.types), name + ": listed by one command only")


def type_properties(p, typename, *wanted):
    found = names(p.ask("qom-list-properties", typename=typename))
    for name in wanted:
        want(name in found, f"{typename} has no {name}")


def machines(p, report):
    def check():
        p.machines = {m["name"]: m for m in good(p.ask("query-machines"))}
        pc = p.machines["pc-i440fx-7.2"]
        want(pc["alias"] == "pc" and pc["is-default"], str(pc))
        want(pc["default-cpu-type"] == "qemu64-x86_64-cpu" and pc["default-ram-id"] == "pc.ram", str(pc))
        want("none" in p.machines, "no machine none")
        for m in p.machines.values():
            for key, kind in (("cpu-max", int), ("hotpluggable-cpus", bool), ("numa-mem-supported", bool), ("deprecated", bool)):
                want(isinstance(m[key], kind), f"{m['name']}: {key} is {m[key]!r}")
            want(m["cpu-max"] >= 1, f"{m['name']}: cpu-max {m['cpu-max']}")
    step(report, "query-machines", check)


def definitions(p):
    p.definitions = {d["name"]: d for d in good(p.ask("query-cpu-definitions"))}
    for d in p.definitions.values():
        want(d["typename"] == d["name"] + "-x86_64-cpu" and d["typename"] in p.types, str(d))
        want(isinstance(d["unavailable-features"], list), str(d))
    for name in ("host", "max", "base", "qemu64", "EPYC"):
        want(name in p.definitions, f"no model {name}")
    for m in p.machines.values():
        want(m.get("default-cpu-type", "max-x86_64-cpu") in {d["typename"] for d in p.definitions.values()},
             f"{m['name']}: default-cpu-type has no definition")


def expansion(p, kind, model, **props):
    arguments = {"name": model}
    if props:
        arguments["props"] = {k.replace("_", "-"): v for k, v in props.items()}
    return p.ask("query-cpu-model-expansion", type=kind, model=arguments)


def static_model(reply):
    model = good(reply)["model"]
    want(model["name"] == "base", f"model is {model['name']}")
    booleans = [v for v in model["props"].values() if isinstance(v, bool)]
    want(len(booleans) > 300, f"only {len(booleans)} features")
    return model["props"]


def cpu_models(p, report, model, is_kvm):
    def migratable():
        changed = static_model(expansion(p, "static", model, migratable=False))
        want(not p.props["invtsc"], "invtsc in what shall be migratable")
        want(set(changed) == set(p.props), "other properties")

    def first():
        p.props = static_model(expansion(p, "static", model))

    def passthrough():
        full = good(expansion(p, "full", model, migratable=False, hv_passthrough=True))["model"]
        want(full["name"] == model, full["name"])
        want(full["props"]["hv-passthrough"] is True, "hv-passthrough")

    def back():
        """What was answered can be given back, and comes to the same."""
        reply = good(p.ask("query-cpu-model-expansion", type="full", model={"name": "base", "props": p.props}))
        props = reply["model"]["props"]
        differing = [k for k, v in p.props.items() if props[k] != v]
        want(not differing, f"differ: {differing}")

    step(report, f"expansion of {model}", first)
    step(report, f"expansion of {model}, not migratable", migratable)
    step(report, "base with these properties is the same", back)
    if is_kvm:
        step(report, "full expansion with hv-passthrough", passthrough)


def lists(p):
    for name in ("query-tpm-models", "query-tpm-types"):
        refused(p.ask(name), "CommandNotFound")
    for option in good(p.ask("query-command-line-options")):
        want(all("name" in row for row in option["parameters"]), option["option"])
    names(p.ask("query-migrate-capabilities"), "capability")
    for kind, command in (("sev-guest", "query-sev-capabilities"), ("sgx-epc", "query-sgx-capabilities")):
        if kind in p.types:
            refused(p.ask(command), "GenericError")


def errors(p):
    """The classes that decide between 'no' and a libvirtd that ends."""
    for request, arguments, error in (
            ("device-list-properties", {"typename": "no-such-device"}, "DeviceNotFound"),
            ("query-no-such-thing", {}, "CommandNotFound"),
            ("query-cpu-model-expansion", {"type": "static", "model": {"name": "nope"}}, "GenericError"),
            ("query-cpu-model-expansion", {"type": "full", "model": {"name": "max", "props": {"nope": True}}}, "GenericError"),
            ("query-cpu-model-expansion", {"type": "full", "model": {"name": "max", "props": {"avx": 3}}}, "GenericError"),
            ("query-hotpluggable-cpus", {}, "GenericError")):
        reply = p.ask(request, **arguments)
        want(reply.get("error", {}).get("class") == error, f"{request} {arguments}: {reply}")


def step(report, what, check):
    try:
        check()
        report.check([], what)
    except (Failed, KeyError, TypeError) as error:
        report.check([f"{type(error).__name__}: {error}"], what)


def play(report, quail, accel, folder):
    is_kvm = accel.startswith("kvm")
    p = Probe(quail, accel, folder)
    try:
        basics(p, report, is_kvm)
        step(report, f"device-list-properties of {len(DEVICES)} types", lambda: device_properties(p))
        step(report, "qom-list-properties memory-backend-file",
             lambda: type_properties(p, "memory-backend-file", "prealloc-threads", "reserve", "pmem",
                                     "x-use-canonical-path-for-ramblock-id"))
        step(report, "qom-list-properties memory-backend-memfd", lambda: type_properties(p, "memory-backend-memfd", "hugetlb"))
        step(report, "qom-list-properties max-x86_64-cpu",
             lambda: type_properties(p, "max-x86_64-cpu", "unavailable-features", "migratable"))
        machines(p, report)
        step(report, "qom-list-properties none-machine",
             lambda: type_properties(p, "none-machine", "confidential-guest-support"))
        step(report, "query-cpu-definitions", lambda: definitions(p))
        step(report, "TPM, options, migration capabilities, SEV, SGX", lambda: lists(p))
        cpu_models(p, report, "host" if is_kvm else "max", is_kvm)
        step(report, "classes of errors", lambda: errors(p))
        step(report, "ends on SIGTERM", p.end)
    finally:
        p.kill()


# ---- With QEMU ----

def answers(program, accel, models, folder):
    p = Probe(program, accel, folder)
    try:
        good(p.ask("qmp_capabilities"))
        found = {"definitions": {d["name"]: d for d in good(p.ask("query-cpu-definitions"))}}
        for model in models:
            for kind in ("static", "full"):
                found[model, kind] = good(expansion(p, kind, model))["model"]["props"]
        p.end()
        return found
    finally:
        p.kill()


def compare(report, quail, qemu, folder):
    models = ["host", "max", "base", "qemu64", "kvm64", "EPYC", "EPYC-Milan-v1", "Haswell-noTSX", "Skylake-Server-v5", "Nehalem-v2",
              "486", "Opteron_G5"]
    theirs, ours = answers(qemu, "kvm", models, folder + "/qemu"), answers(quail, "kvm", models, folder + "/quail")
    problems = []
    for name, d in theirs["definitions"].items():
        own = dict(ours["definitions"].get(name, {}))
        for entry in (d, own):  # QEMU repeats a feature that brings several state components
            entry["unavailable-features"] = list(dict.fromkeys(entry.get("unavailable-features", [])))
        if d != own:
            problems.append(f"{name}: {own}, QEMU: {d}")
    report.check(problems, f"{len(theirs['definitions'])} definitions are QEMU's")
    for model in models:
        for kind in ("static", "full"):
            a, b = ours[model, kind], theirs[model, kind]
            report.check([f"{k}: {a.get(k)}, QEMU: {b.get(k)}" for k in sorted(set(a) | set(b) - NOT_OURS)
                          if a.get(k) != b.get(k) and not k.startswith("hv-")], f"{kind} expansion of {model} is QEMU's")


def main():
    quail = os.path.abspath(sys.argv[1])
    qemu = shutil.which(os.environ.get("QEMU", "qemu-system-x86_64"))
    has_kvm = os.access("/dev/kvm", os.R_OK | os.W_OK)
    report = Report()
    with tempfile.TemporaryDirectory(prefix="test-probe.") as folder:
        for accel in (["kvm:tcg"] if has_kvm else []) + ["qtest"]:
            print(f"# accel={accel}")
            play(report, quail, accel, tempfile.mkdtemp(dir=folder))
        if has_kvm and qemu:
            os.mkdir(folder + "/qemu")
            os.mkdir(folder + "/quail")
            compare(report, quail, qemu, folder)
        else:
            print("# not compared: no QEMU, or no /dev/kvm")
    print(f"1..{report.count}")
    return report.failed > 0


if __name__ == "__main__":
    sys.exit(main())
