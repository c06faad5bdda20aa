# SPDX-License-Identifier: MIT
"""judge.py - what is in a machine's container, as the official SDK sees it

Shares no code with tidemark: it knows of the formats what is documented.
Whatever is wrong becomes a line in `wrong`.
"""
import base64
import hashlib
import hmac
import json
import os
import struct
import time

from azure.storage.blob import BlobLeaseClient, ContainerClient

HASH = 16
PIECE = 1 << 20
SMALL = 8 << 20
FOOTER = 512
MIB = 1 << 20


def pages(client, size):
    """The bytes of a page blob; what was never written is zero."""
    if size <= SMALL:
        return client.download_blob().readall()
    data = bytearray(size)
    # Pieces in which anything is: fewer requests than ranges
    pieces = {at for r in client.list_page_ranges() if not r.cleared
              for at in range(r.start // PIECE, r.end // PIECE + 1)}
    for at in sorted(pieces):
        start, end = at * PIECE, min((at + 1) * PIECE, size)
        data[start:end] = client.download_blob(start, end - start).readall()
    return bytes(data)


def zero(data):
    return not data.strip(b"\0")


def vhd_size(size):
    return (size + MIB - 1) // MIB * MIB


class Judge:
    def __init__(self, container):
        self.container = ContainerClient.from_connection_string(
            os.environ["DIRECT_CONNECTION_STRING"], container)
        self.wrong = []
        self.keys = {}
        self.blobs = []
        self.points = {}        # name: document; tombstones too

    def client(self, name, snapshot=None):
        return self.container.get_blob_client(name, snapshot)

    def look(self):
        """Lists the container anew, and reads the points that are new."""
        self.blobs = list(self.container.list_blobs(
            include=["snapshots", "metadata"]))
        for name in self.names("points/"):
            if name not in self.points:
                self.points[name] = json.loads(self.client(
                    "points/" + name).download_blob().readall())

    def names(self, prefix):
        return [blob.name[len(prefix):] for blob in self.blobs
                if not blob.snapshot and blob.name.startswith(prefix)]

    def complete(self):
        return sorted(name for name, point in self.points.items()
                      if not point.get("tombstone"))

    def pages(self, name, snapshot):
        size = next(blob.size for blob in self.blobs
                    if blob.name == name and blob.snapshot == snapshot)
        return pages(self.client(name, snapshot), size)

    def key(self, disk):
        if disk not in self.keys:
            text = self.client(f"disks/{disk}.key").download_blob().readall()
            self.keys[disk] = base64.b64decode(json.loads(text)["key"])
        return self.keys[disk]

    def entry(self, disk, start, data):
        if zero(data):
            data = struct.pack("<Q", len(data))
        return hmac.new(self.key(disk), struct.pack("<Q", start) + data,
                        hashlib.sha256).digest()[:HASH]

    def entries(self, disk, chunk, what, snapshots=(None, None), all_set=False):
        """Every entry is zero or that of its chunk; returns the VHD's bytes."""
        table = self.pages(f"disks/{disk}.hash", snapshots[0])
        vhd = self.pages(f"disks/{disk}.vhd", snapshots[1])
        end = len(vhd) - FOOTER
        for index, start in enumerate(range(0, end, chunk)):
            entry = table[index * HASH:(index + 1) * HASH]
            data = vhd[start:min(start + chunk, end)]
            if zero(entry):
                if all_set:
                    self.wrong.append(f"{what}: {disk}: entry {index} is zero")
            elif entry != self.entry(disk, start, data):
                self.wrong.append(f"{what}: {disk}: entry {index} is not that "
                                  "of its chunk")
        return vhd

    def point(self, name, images):
        """The point is complete, proved, and exactly the images."""
        for disk in self.points[name]["disks"]:
            what = f"point {name}, disk {disk['name']}"
            vhd = self.entries(disk["name"], disk["chunk_size"], what,
                               (disk["hash_snapshot"], disk["vhd_snapshot"]),
                               True)
            image = images[disk["name"]]
            size = len(image)
            if vhd[:size] != image:
                self.wrong.append(f"{what}: is not the disk")
            if (len(vhd) != vhd_size(size) + FOOTER or
                    not zero(vhd[size:-FOOTER]) or
                    not vhd[-FOOTER:].startswith(b"conectix")):
                self.wrong.append(f"{what}: is no VHD")

    def left(self, name):
        """What there is of a point beside its document."""
        return [f"{blob.name} {blob.snapshot or ''}".rstrip()
                for blob in self.blobs
                if blob.snapshot and blob.metadata.get("name") == name or
                blob.name.startswith(("checks/" + name, "holds/" + name))]

    def contents(self):
        """What each blob and snapshot holds, by name and time."""
        return {(blob.name, blob.snapshot): hashlib.sha256(
            self.client(blob.name, blob.snapshot).download_blob().readall()
        ).digest() for blob in self.blobs}

    def end_holds(self):
        """Of restores that are over: deletes what has come too late."""
        for blob in self.container.list_blobs("holds/"):
            self.container.delete_blob(blob.name)

    def end_leases(self):
        for blob in self.blobs:
            if not blob.snapshot and blob.lease.state == "leased":
                BlobLeaseClient(self.client(blob.name)).break_lease(0)

    def await_leases(self, seconds):
        """Until none is held; one that is held for longer is wrong."""
        end = time.monotonic() + seconds
        while held := [blob.name for blob in self.blobs if not blob.snapshot
                       and blob.lease.state in ("leased", "breaking")]:
            if time.monotonic() > end:
                self.wrong.append(f"{held} are leased beyond their term")
                return
            time.sleep(1)
            self.look()

    def leases(self, none):
        """None is for good; with @none, none at all."""
        for blob in self.blobs:
            if blob.snapshot or blob.lease.state not in ("leased", "breaking"):
                continue
            if none or blob.lease.duration != "fixed":
                self.wrong.append(f"{blob.name} is leased: {blob.lease.state}, "
                                  f"{blob.lease.duration}")

    def orphans(self):
        """Runs and snapshots of which it is not decided what they are."""
        for name in self.names("runs/"):
            if name not in self.points:
                self.wrong.append(f"run {name} has neither point nor tombstone")
        for blob in self.blobs:
            if blob.snapshot and blob.metadata.get("name") not in self.points:
                self.wrong.append(f"snapshot {blob.snapshot} of {blob.name} "
                                  "belongs to no point")
