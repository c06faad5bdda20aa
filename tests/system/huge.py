#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""huge.py - the next recovery point of a disk that has become a large one

    huge.py VAULT CONTAINER DISK POINT IMAGE

A backup reads all of a large disk, empty as it may be. With the official SDK,
and where the sparse file IMAGE has holes, this makes the same point in a moment:
as if DISK of POINT, which was all zeroes, had grown to be IMAGE. Prints its name.
IMAGE's size is a multiple of 1 MiB and of a chunk.
"""
import base64
import hashlib
import hmac
import json
import os
import struct
import sys

from azure.storage.blob import BlobServiceClient, BlobType

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "lib"))
import root  # noqa: E402

SERVICE = BlobServiceClient.from_connection_string(
    os.environ["AZURE_STORAGE_CONNECTION_STRING"])
PUT = 4 << 20


def extents(fd, size):
    """Where a sparse file has data, in whole chunks of 4 KiB."""
    at = 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            return
        at = min(os.lseek(fd, start, os.SEEK_HOLE), size)
        yield start, at


def footer_of(old, size):
    """The footer, for another size."""
    footer = bytearray(old)
    footer[48:56] = struct.pack(">Q", size)
    footer[64:68] = bytes(4)
    footer[64:68] = struct.pack(">I", ~sum(footer) & 0xffffffff)
    return bytes(footer)


def send(client, fd, size):
    for start, end in extents(fd, size):
        for at in range(start, end, PUT):
            data = os.pread(fd, min(PUT, end - at), at)
            client.upload_page(data, at, len(data))


def table_of(fd, size, chunk, key):
    """All entries: most are of zeroes, whose hash takes their length."""
    keyed = hmac.new(key, digestmod=hashlib.sha256)
    written = {i for start, end in extents(fd, size)
               for i in range(start // chunk, (end - 1) // chunk + 1)}
    table = bytearray()
    for i in range(size // chunk):
        entry = keyed.copy()
        data = struct.pack("<Q", chunk)
        if i in written:
            read = os.pread(fd, chunk, i * chunk)
            data = read if any(read) else data
        entry.update(struct.pack("<Q", i * chunk) + data)
        table += entry.digest()[:16]
    return table + bytes(-len(table) % 512)


def main(vault, container, disk, point, image):
    vhd = SERVICE.get_blob_client(container, f"disks/{disk}.vhd")
    table = SERVICE.get_blob_client(container, f"disks/{disk}.hash")
    document = json.loads(SERVICE.get_blob_client(
        container, f"points/{point}").download_blob().readall())
    key = json.loads(SERVICE.get_blob_client(
        container, f"disks/{disk}.key").download_blob().readall())
    entry = next(d for d in document["disks"] if d["name"] == disk)
    size = os.stat(image).st_size
    fd = os.open(image, os.O_RDONLY)

    old_size = vhd.get_blob_properties().size
    footer = vhd.download_blob(old_size - 512, 512).readall()
    vhd.clear_page(old_size - 512, 512)
    vhd.resize_blob(size + 512)
    send(vhd, fd, size)
    vhd.upload_page(footer_of(footer, size), size, 512)

    hashes = table_of(fd, size, entry["chunk_size"],
                      base64.b64decode(key["key"]))
    table.resize_blob(len(hashes))
    for at in range(0, len(hashes), PUT):
        data = bytes(hashes[at:at + PUT])
        table.upload_page(data, at, len(data))

    entry["size"] = entry["vhd_size"] = size
    entry["segments"][-1]["len"] += size - (old_size - 512)
    entry["hash_snapshot"] = table.create_snapshot()["snapshot"]
    entry["vhd_snapshot"] = vhd.create_snapshot()["snapshot"]
    document["name"] = "2099" + point[4:]
    entry["previous_root"] = entry["root"]
    entry["table_sha256"], entry["root"] = root.root(
        json.loads(SERVICE.get_blob_client(
            vault, "vault.json").download_blob().readall())["id"],
        document, disk, bytes(hashes), base64.b64decode(key["key"]))
    SERVICE.get_blob_client(
        container, f"points/{document['name']}").upload_blob(
            json.dumps(document), blob_type=BlobType.BLOCKBLOB)
    print(document["name"])


if __name__ == "__main__":
    main(*sys.argv[1:])
