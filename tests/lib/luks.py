#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""luks.py - what cryptsetup and a cipher of others make of an encrypted VHD

    luks.py decrypt VHD OUT SIZE PASSPHRASE-FILE [HEADER]
    luks.py key VHD OUT PASSPHRASE-FILE         its volume key

Gets the volume key from the LUKS2 header at the start of VHD (or from HEADER)
with the program cryptsetup, and the first SIZE bytes of the disk with the
library cryptography, which share no code with ours but OpenSSL's AES. For where
the kernel has no dm-crypt to open it.
"""
import os
import subprocess
import sys
import tempfile

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SECTOR = 512


def cryptsetup(*args):
    return subprocess.run(["cryptsetup", *args], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def offset(header):
    dump = cryptsetup("luksDump", header)
    assert "cipher: aes-xts-plain64" in dump and "sector: 512 " in dump
    return int(dump.split("offset: ")[1].split()[0])


def volume_key(header, passphrase):
    with tempfile.TemporaryDirectory() as directory:
        name = os.path.join(directory, "key")
        cryptsetup("luksDump", "--batch-mode", "--dump-volume-key",
                   "--volume-key-file", name, "--key-file", passphrase, header)
        with open(name, "rb") as file:
            return file.read()


def decrypt(vhd, out, size, passphrase, header=None):
    secret = volume_key(header or vhd, passphrase)
    left, sector = int(size), 0
    with open(vhd, "rb") as source, open(out, "wb") as target:
        source.seek(offset(header or vhd))
        while left:
            cipher = Cipher(algorithms.AES(secret),
                            modes.XTS(sector.to_bytes(16, "little")))
            target.write(cipher.decryptor().update(source.read(SECTOR)))
            left -= SECTOR
            sector += 1


def key(vhd, out, passphrase):
    with open(out, "wb") as target:
        target.write(volume_key(vhd, passphrase))


if __name__ == "__main__":
    {"decrypt": decrypt, "key": key}[sys.argv[1]](*sys.argv[2:])
