# SPDX-License-Identifier: MIT
"""prune.py - points that are deleted, and what is left of them then"""
import json
import os

from azure.storage.blob import ContainerClient

FIRST = "2020-01-01T00:00:00Z"


class Marks:
    """The marks that a vault has of a machine's deleted points."""

    def __init__(self, vault, container):
        self.vault = ContainerClient.from_connection_string(
            os.environ["DIRECT_CONNECTION_STRING"], vault)
        self.prefix = f"marks/{container.removeprefix('tidemark-')}/"

    def age(self, name):
        """The day for which the point could be had back is over."""
        blob = self.vault.get_blob_client(self.prefix + name)
        mark = json.loads(blob.download_blob().readall())
        mark["deleted"] = FIRST
        blob.upload_blob(json.dumps(mark), overwrite=True)

    def names(self):
        return [blob.name.removeprefix(self.prefix)
                for blob in self.vault.list_blobs(self.prefix)]


def prune(program, marks, names):
    """Deletes the points and their storage; returns what is wrong, or None."""
    for name in names:
        outcome = program.run("points", "delete", name, "--yes")
        if outcome.status:
            return f"points delete {name}: {outcome.message()}"
        marks.age(name)
    outcome = program.run("points", "delete", "--due", "--yes")
    if outcome.status:
        return f"points delete --due: {outcome.message()}"
    return None
