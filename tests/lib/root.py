#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""root.py - the root of a disk of a recovery point, as others compute it

    root.py VAULT-ID POINT DISK TABLE KEY

Prints the table's digest and the root that the document POINT should have for
DISK: "TABLE-DIGEST ROOT". TABLE is the blob of its hash table as the point's
snapshot has it. KEY is disks/DISK.key of a disk that is not encrypted, or the
volume key of one that is, 64 bytes. Written from userspace/model/tree.h and
userspace/model/root.h; the tree is that of RFC 6962 in its recursive form.
"""
import base64
import hashlib
import hmac
import json
import sys

LEAF = 256 * 16


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def tree(leaves):
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\1" + tree(leaves[:half]) +
                          tree(leaves[half:])).digest()


def table_key(path):
    with open(path, "rb") as file:
        data = file.read()
    if len(data) == 64:
        return mac(data, b"tidemark hash table\0")
    return base64.b64decode(json.loads(data)["key"])


def root(vault, point, name, table, key):
    disk = next(d for d in point["disks"] if d["name"] == name)
    chunks = -(-disk["vhd_size"] // disk["chunk_size"])
    entries = table[:chunks * 16]
    digest = tree([entries[at:at + LEAF]
                   for at in range(0, len(entries), LEAF)]).hex()
    how = disk.get("encryption", {})
    text = "".join(f"{line}\n" for line in (
        "tidemark root 1",
        f"vault {vault}",
        f"item {point['item']}",
        f"disk {name}",
        f"point {point['name']}",
        f"cut {disk.get('cut', '0' * 32)}",
        f"size {disk['size']}",
        f"chunk {disk['chunk_size']}",
        f"key {how.get('key', '0' * 32)}",
        f"header {how.get('header_sha256', '-')}",
        f"hash {disk['hash_snapshot']}",
        f"vhd {disk['vhd_snapshot']}",
        f"previous {disk.get('previous_root', '-')}",
        f"table {digest}"))
    return digest, mac(mac(key, b"tidemark root"), text.encode()).hex()


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as file:
        document = json.load(file)
    with open(sys.argv[4], "rb") as file:
        content = file.read()
    print(*root(sys.argv[1], document, sys.argv[3], content,
                table_key(sys.argv[5])))
