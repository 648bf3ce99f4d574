"""The parts the KVM lab is made of: kernel, archives, packing, and the running machine."""


class LabError(Exception):
    """Something the user must be told in one line."""
