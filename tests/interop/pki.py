"""Certificates for tests, made by certtool, laid out in folders as credentials want them."""
import os
import shutil
import subprocess

CA = "ca\ncert_signing_key\nexpiration_days = 3650\n"
SERVER = 'cn = "localhost"\ndns_name = "localhost"\nip_address = "127.0.0.1"\n'
LIFE = "expiration_days = 3650\n"
KIND = {
    "ca": 'cn = "Test CA"\n' + CA,
    "other-ca": 'cn = "Other CA"\n' + CA,
    "no-ca": 'cn = "No CA"\n' + LIFE,
    "no-signing-ca": 'cn = "Weak CA"\nca\nsigning_key\n' + LIFE,
    "server": SERVER + "tls_www_server\nsigning_key\n" + LIFE,
    "client": 'cn = "client"\norganization = "Quail"\ntls_www_client\nsigning_key\n' + LIFE,
    "expired": SERVER + 'tls_www_server\nsigning_key\nactivation_date = "2004-01-01 00:00:00"\n'
               'expiration_date = "2004-02-01 00:00:00"\n',
    "future": SERVER + 'tls_www_server\nsigning_key\nactivation_date = "2090-01-01 00:00:00"\n'
              'expiration_date = "2095-02-01 00:00:00"\n',
    "is-ca": SERVER + "ca\ntls_www_server\nsigning_key\n" + LIFE,
    "stranger": 'cn = "stranger.example"\ndns_name = "stranger.example"\ntls_www_server\n' + LIFE,
    "bare": 'cn = "localhost"\n' + LIFE,
}


class Pki:
    """Keys and certificates in @folder: NAME-key.pem, NAME-cert.pem, all signed by "ca"."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("ca", "other-ca", "no-ca", "no-signing-ca"):
            self.key(name)
            self.certtool(name, "--generate-self-signed")
        for name in KIND:
            if not os.path.exists(self.path(name + "-key.pem")):
                self.key(name)
                self.sign(name, "ca")
        self.key("foreign-client")
        self.sign("foreign-client", "other-ca", "client")

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *argv):
        subprocess.run(argv, cwd=self.folder, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def key(self, name):
        self.run("certtool", "--generate-privkey", "--key-type", "ecdsa", "--outfile", name + "-key.pem")

    def certtool(self, name, how, *options, kind=None):
        with open(self.path("template"), "w") as out:
            out.write(KIND[kind or name])
        self.run("certtool", how, "--load-privkey", name + "-key.pem", "--template", "template",
                 "--outfile", name + "-cert.pem", *options)

    def sign(self, name, ca, kind=None):
        self.certtool(name, "--generate-certificate", "--load-ca-certificate", ca + "-cert.pem",
                      "--load-ca-privkey", ca + "-key.pem", kind=kind)

    def creds(self, name, ca="ca", **own):
        """A folder of credentials; server="expired" or server=("certificate", "key")."""
        os.mkdir(self.path(name))
        if ca:
            shutil.copy(self.path(ca + "-cert.pem"), self.path(name + "/ca-cert.pem"))
        for side, which in own.items():
            cert, key = (which, which) if isinstance(which, str) else which
            if cert:
                shutil.copy(self.path(cert + "-cert.pem"), self.path(f"{name}/{side}-cert.pem"))
            if key:
                shutil.copy(self.path(key + "-key.pem"), self.path(f"{name}/{side}-key.pem"))
        return name

    def write(self, name, text):
        with open(self.path(name), "w") as out:
            out.write(text)
