#!/usr/bin/env python3
"""TLS on character devices. The peers are OpenSSL (by Python's ssl module, and s_server) and GnuTLS' tools.

Usage: test-chardev-tls.py QUAIL. The front end is the human monitor. Prints TAP."""
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import warnings

import peers
from pki import Pki

QUAIL = os.path.abspath(sys.argv[1])
LIMIT = 60
ANON = "NONE:+VERS-TLS1.2:+CIPHER-ALL:+MAC-ALL:+SIGN-ALL:+COMP-ALL:+GROUP-ALL:+ANON-DH"


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Vmm:
    """A monitor behind a socket: a server's port is `port`."""

    def __init__(self, pki, creds, option="", server=True, port=None, host="127.0.0.1"):
        self.port = port or free_port()
        kind, more = creds.split(",", 1)
        side = "server=on,wait=off" if server else "server=off,reconnect=1"
        self.process = subprocess.Popen(
            [QUAIL, "-M", "none", "-accel", "qtest", "-nodefaults", "-display", "none",
             "-object", f"{kind},id=t,endpoint={'server' if server else 'client'},{more}",
             "-chardev", f"socket,id=c,host={host},port={self.port},{side},tls-creds=t{option}",
             "-mon", "chardev=c,mode=readline"],
            cwd=pki.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


def connect(port):
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def context(pki, cert="client", ca="ca", server=False):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(pki.path(f"{ca}-cert.pem"))
    if cert:
        made.load_cert_chain(pki.path(f"{cert}-cert.pem"), pki.path(f"{cert}-key.pem"))
    return made


def read_until(sock, wanted, got=b""):
    while wanted not in got:
        data = sock.recv(4096)
        assert data, f"closed before {wanted!r}: {got!r}"
        got += data
    return got


def talk(sock):
    got = read_until(sock, b"(qemu) ")
    sock.sendall(b"info version\n")
    return read_until(sock, b"7.2", got[-1:])


def refused(pki, vmm, **how):
    """The handshake, or in TLS 1.3 the first read after it, must fail."""
    with connect(vmm.port) as raw:
        try:
            with context(pki, **how).wrap_socket(raw, server_hostname="localhost") as sock:
                got = sock.recv(100)
        except (ssl.SSLError, ConnectionError):
            return
    assert not got, f"let in: {got!r}"


def good(pki, vmm, **how):
    with connect(vmm.port) as raw, context(pki, **how).wrap_socket(raw, server_hostname="localhost") as sock:
        talk(sock)
        return sock.version()


X509 = "tls-creds-x509,dir=both"


def server(pki):
    """x509 server: a client with a certificate talks, in TLS 1.3 and 1.2, one after another"""
    with Vmm(pki, X509) as vmm:
        assert good(pki, vmm) == "TLSv1.3"
        with connect(vmm.port) as raw:
            old = context(pki)
            old.maximum_version = ssl.TLSVersion.TLSv1_2
            with old.wrap_socket(raw, server_hostname="localhost") as sock:
                talk(sock)
                assert sock.version() == "TLSv1.2"
        good(pki, vmm)


def server_refuses(pki):
    """x509 server: no certificate, a foreign one: refused; the next is served"""
    with Vmm(pki, X509) as vmm:
        refused(pki, vmm, cert=None)
        refused(pki, vmm, cert="foreign-client")
        refused(pki, vmm, cert="expired")
        good(pki, vmm)


def server_lenient(pki):
    """x509 server, verify-peer=off: a client without certificate talks"""
    with Vmm(pki, X509 + ",verify-peer=off") as vmm:
        good(pki, vmm, cert=None)


def plain_text(pki):
    """x509 server: plain text, and noise like a record: closed, and the next is served"""
    with Vmm(pki, X509) as vmm:
        for noise in (b"info version\nquit\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\1" * 70000,
                      b"\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff" * 100, b"\x80\x2e\x01\x00\x02"):
            with connect(vmm.port) as raw:
                try:
                    raw.sendall(noise)
                    raw.shutdown(socket.SHUT_WR)
                    while True:
                        got = raw.recv(4096)
                        assert b"qemu" not in got
                        if not got:
                            break
                except OSError:
                    pass
        good(pki, vmm)


def half_open(pki):
    """x509 server: a peer that stops within its handshake holds nothing up but the next peer"""
    with Vmm(pki, X509) as vmm:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        hello = context(pki).wrap_bio(incoming, outgoing, server_hostname="localhost")
        try:
            hello.do_handshake()
        except ssl.SSLWantReadError:
            pass
        first = outgoing.read()
        for part in (b"", first[:3], first[:100], first):
            with connect(vmm.port) as raw:
                raw.sendall(part)
                if part == first:
                    assert raw.recv(1), "no answer to a hello"
                # The next one waits, and gets in when this one is gone.
                waiting = connect(vmm.port)
                assert vmm.process.poll() is None
            with waiting, context(pki).wrap_socket(waiting, server_hostname="localhost") as sock:
                talk(sock)


def much(pki):
    """x509 server: much output to a slow reader arrives whole and in order"""
    count = 40
    with Vmm(pki, X509) as vmm, connect(vmm.port) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with context(pki).wrap_socket(raw, server_hostname="localhost") as sock:
            read_until(sock, b"(qemu) ")
            for number in range(count):
                sock.sendall(b"help info\nprint %d+100000\n" % number)
            time.sleep(1)
            got = read_until(sock, b"\n%#x\r\n" % (100000 + count - 1))
    at = 0
    for number in range(count):
        at = got.index(b"\n%#x\r\n" % (100000 + number), at)


def cut_off(pki):
    """x509 server: a connection cut without goodbye, and a reset one, make room for the next"""
    with Vmm(pki, X509) as vmm:
        for linger in (False, True):
            raw = connect(vmm.port)
            sock = context(pki).wrap_socket(raw, server_hostname="localhost")
            talk(sock)
            if linger:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            os.close(sock.detach())
            good(pki, vmm)


def tool(argv, wanted, text=b"info version\n"):
    """A command line client in whose output @wanted must come."""
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        process.stdin.write(text)
        process.stdin.flush()
        got = b""
        while wanted not in got:
            data = os.read(process.stdout.fileno(), 4096)
            assert data, f"{argv[0]} ended: {got.decode(errors='replace')}"
            got += data
        process.kill()


def wait_listening(vmm):
    """Its first connection is one that says nothing."""
    connect(vmm.port).close()


def gnutls_client(pki):
    """x509 server: gnutls-cli with its certificate"""
    with Vmm(pki, X509) as vmm:
        wait_listening(vmm)
        tool(["gnutls-cli", "--x509cafile", pki.path("ca-cert.pem"), "--x509certfile", pki.path("client-cert.pem"),
              "--x509keyfile", pki.path("client-key.pem"), "-p", str(vmm.port), "127.0.0.1"], b"7.2")


def psk(pki):
    """psk server: gnutls-cli with the right key talks, with a wrong one it does not"""
    right, wrong = "608f7b9bd3e7b854ebe59550b2209b7b", "708f7b9bd3e7b854ebe59550b2209b7b"
    with Vmm(pki, "tls-creds-psk,dir=psk") as vmm:
        wait_listening(vmm)
        argv = ["gnutls-cli", "--priority", "NORMAL:+ECDHE-PSK:+DHE-PSK:+PSK", "--pskusername", "qemu", "-p",
                str(vmm.port), "127.0.0.1", "--pskkey"]
        done = subprocess.run(argv + [wrong], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False, timeout=LIMIT)
        assert done.returncode and b"(qemu)" not in done.stdout, done.stdout
        tool(argv + [right], b"7.2")


def psk_client(pki):
    """psk client: gnutls-serv"""
    port = free_port()
    argv = ["gnutls-serv", "--echo", "--priority", "NORMAL:-VERS-TLS1.3:+ECDHE-PSK:+PSK", "--pskpasswd",
            pki.path("psk/keys.psk"), "-p", str(port)]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        with Vmm(pki, "tls-creds-psk,dir=psk,username=qemu", server=False, port=port):
            got = b""
            while b"qemu" not in got:
                data = os.read(process.stdout.fileno(), 4096)
                assert data, got
                got += data
        process.kill()


def anon(pki):
    """anonymous server: gnutls-cli without certificates"""
    with Vmm(pki, "tls-creds-anon,dir=psk") as vmm:
        wait_listening(vmm)
        tool(["gnutls-cli", "--priority", ANON, "--no-ca-verification", "-p",
              str(vmm.port), "127.0.0.1"], b"7.2")


def accept(listener, how):
    """The next connection that gets through its handshake; False: it failed."""
    raw, _ = listener.accept()
    raw.settimeout(LIMIT)
    try:
        return how.wrap_socket(raw, server_side=True)
    except (ssl.SSLError, ConnectionError):
        raw.close()
        return False


def client(pki):
    """x509 client: comes with its certificate, comes again, and looks at the server's name and issuer"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LIMIT)
        port = listener.getsockname()[1]
        right = context(pki, "server", server=True)
        right.verify_mode = ssl.CERT_REQUIRED
        foreign = context(pki, "foreign-client", server=True)
        stranger = context(pki, "stranger", server=True)
        with Vmm(pki, X509, server=False, port=port):
            for how in (right, foreign, stranger, right):
                sock = accept(listener, how)
                if how is right:
                    with sock:
                        talk(sock)
                    continue
                try:
                    assert not sock or not sock.recv(100), "spoke to a stranger"
                except (ssl.SSLError, ConnectionError):
                    pass
                if sock:
                    sock.close()
        with Vmm(pki, X509 + ",verify-peer=off", server=False, port=port):
            with accept(listener, stranger) as sock:
                talk(sock)


def client_by_name(pki):
    """x509 client: the host's name is checked as it was written, and sent; s_server"""
    port = free_port()
    argv = ["openssl", "s_server", "-accept", str(port), "-cert", pki.path("server-cert.pem"), "-key",
            pki.path("server-key.pem"), "-CAfile", pki.path("ca-cert.pem"), "-Verify", "1", "-servername", "localhost",
            "-cert2", pki.path("server-cert.pem"), "-key2", pki.path("server-key.pem"), "-servername_fatal"]
    with Vmm(pki, X509, server=False, port=port, host="localhost"):
        tool(argv, b"7.2")


def websocket(pki):
    """WebSocket and telnet above TLS"""
    request = (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
               b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               b"Sec-WebSocket-Protocol: binary\r\n\r\n")
    with Vmm(pki, X509, ",websocket=on") as vmm, connect(vmm.port) as raw:
        with context(pki).wrap_socket(raw, server_hostname="localhost") as sock:
            sock.sendall(request + b"\x82\x8d\0\0\0\0info version\n")
            read_until(sock, b"7.2", read_until(sock, b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    with Vmm(pki, X509, ",telnet=on") as vmm, connect(vmm.port) as raw:
        with context(pki).wrap_socket(raw, server_hostname="localhost") as sock:
            assert read_until(sock, b"(qemu)").startswith(b"\xff\xfb")
            sock.sendall(b"info ver\xff\xf1sion\n")
            read_until(sock, b"7.2")


TESTS = (server, server_refuses, server_lenient, plain_text, half_open, much, cut_off, gnutls_client, psk, psk_client,
         anon, client, client_by_name, websocket)


def main():
    warnings.simplefilter("ignore")
    if not all(map(shutil.which, ("certtool", "gnutls-cli", "openssl"))):
        print("1..0 # SKIP certtool, gnutls-cli or openssl is not installed")
        return 0
    report = peers.Report()
    with tempfile.TemporaryDirectory() as folder:
        pki = Pki(folder)
        pki.creds("both", server="server", client="client")
        os.mkdir(pki.path("psk"))
        pki.write("psk/keys.psk", "qemu:608f7b9bd3e7b854ebe59550b2209b7b\n")
        for test in TESTS:
            if len(sys.argv) > 2 and test.__name__ not in sys.argv[2:]:
                continue
            problems = []
            try:
                test(pki)
            except (AssertionError, OSError, subprocess.TimeoutExpired) as problem:
                problems = [f"{type(problem).__name__}: {problem}"]
            report.check(problems, test.__doc__)
    print("1..%d" % report.count)
    return 0


sys.exit(main())
