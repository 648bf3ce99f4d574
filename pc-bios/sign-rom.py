#!/usr/bin/env python3
"""sign-rom.py ROM OUT: sets size and checksums of an option ROM (see rom.inc)."""
import sys


def main(source, out):
    with open(source, "rb") as file:
        rom = bytearray(file.read())
    rom += bytes(-(len(rom) + 1) % 512 + 1)
    rom[2] = len(rom) // 512
    pnp = int.from_bytes(rom[0x1a:0x1c], "little")
    size = 16 * rom[pnp + 5]
    rom[pnp + 9] = -sum(rom[pnp:pnp + size]) & 0xff
    rom[-1] = -sum(rom) & 0xff
    with open(out, "wb") as file:
        file.write(rom)


main(*sys.argv[1:])
