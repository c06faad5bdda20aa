#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""sdk.py - what the official Azure SDK for Python says and does

A second opinion on what is in the service: it shares no code with ours.
The account is that of AZURE_STORAGE_CONNECTION_STRING.

    sdk.py create-container CONTAINER
    sdk.py create CONTAINER NAME SIZE           a page blob
    sdk.py put CONTAINER NAME OFFSET            pages, from stdin
    sdk.py put-json CONTAINER NAME              a block blob, from stdin
    sdk.py delete CONTAINER NAME [SNAPSHOT]     one without snapshots, or that
    sdk.py read CONTAINER NAME [SNAPSHOT]       all of it, to stdout
    sdk.py fetch FILE CONTAINER NAME [SNAPSHOT] into a sparse file
    sdk.py ranges CONTAINER NAME [SNAPSHOT]     OFFSET+LENGTH lines, merged
    sdk.py list CONTAINER [PREFIX]              NAME SNAPSHOT SIZE META...
    sdk.py properties CONTAINER NAME [SNAPSHOT]
    sdk.py snapshot CONTAINER NAME [KEY=VALUE...]
    sdk.py promote CONTAINER NAME SNAPSHOT      copies it over its blob, whose
                                                lease is broken
    sdk.py lease CONTAINER NAME ID              for good
    sdk.py sequence CONTAINER NAME NUMBER       set to it
    sdk.py sas CONTAINER [PERMISSIONS [FROM [UNTIL]]]   a token, in hours from
                                                now; default: for one hour
    sdk.py blob-sas CONTAINER NAME [PERMISSIONS]    likewise, for one blob
    sdk.py account-sas PERMISSIONS TYPES [SERVICES]     likewise, for all of it
    sdk.py account-sases PERMISSIONS:TYPES:HOURS...     many, a line each
"""
import datetime
import os
import sys
import time

from azure.core.exceptions import AzureError
from azure.storage.blob import (BlobLeaseClient, BlobServiceClient, BlobType,
                                SequenceNumberAction,
                                generate_account_sas, generate_blob_sas,
                                generate_container_sas)
from azure.storage.blob._shared.shared_access_signature import \
    SharedAccessSignature

SERVICE = BlobServiceClient.from_connection_string(
    os.environ["AZURE_STORAGE_CONNECTION_STRING"])
CHUNK = 4 << 20


def blob(container, name, snapshot=None):
    return SERVICE.get_blob_client(container, name, snapshot=snapshot)


def create_container(container):
    SERVICE.create_container(container)


def create(container, name, size):
    blob(container, name).create_page_blob(int(size))


def put(container, name, offset):
    data = sys.stdin.buffer.read()
    blob(container, name).upload_page(data, int(offset), len(data))


def put_json(container, name):
    blob(container, name).upload_blob(sys.stdin.buffer.read(),
                                      blob_type=BlobType.BLOCKBLOB,
                                      overwrite=True)


def delete(container, name, snapshot=None):
    blob(container, name, snapshot).delete_blob()


def read(container, name, snapshot=None):
    blob(container, name, snapshot).download_blob().readinto(sys.stdout.buffer)


def merged_ranges(client):
    merged = []
    for page in client.list_page_ranges():
        if page.cleared:
            continue
        if merged and merged[-1][1] == page.start:
            merged[-1][1] = page.end + 1
        else:
            merged.append([page.start, page.end + 1])
    return merged


def fetch(file, container, name, snapshot=None):
    client = blob(container, name, snapshot)
    with open(file, "wb") as out:
        for start, end in merged_ranges(client):
            for at in range(start, end, CHUNK):
                size = min(CHUNK, end - at)
                out.seek(at)
                out.write(client.download_blob(at, size).readall())
        out.truncate(client.get_blob_properties().size)


def ranges(container, name, snapshot=None):
    for start, end in merged_ranges(blob(container, name, snapshot)):
        print(f"{start}+{end - start}")


def list_blobs(container, prefix=None):
    client = SERVICE.get_container_client(container)
    for item in client.list_blobs(prefix, include=["snapshots", "metadata"]):
        print(item.name, item.snapshot or "-", item.size,
              *(f"{k}={v}" for k, v in sorted((item.metadata or {}).items())))


def properties(container, name, snapshot=None):
    p = blob(container, name, snapshot).get_blob_properties()
    print(f"type={p.blob_type}\nsize={p.size}\netag={p.etag}\n"
          f"sequence={p.page_blob_sequence_number}\nlease={p.lease.state}")
    for key, value in sorted(p.metadata.items()):
        print(f"meta.{key}={value}")


def snapshot_blob(container, name, *metadata):
    pairs = dict(m.split("=", 1) for m in metadata)
    print(blob(container, name).create_snapshot(metadata=pairs)["snapshot"])


def promote(container, name, snapshot):
    client = blob(container, name)
    if client.get_blob_properties().lease.state == "leased":
        BlobLeaseClient(client).break_lease(0)
    client.start_copy_from_url(blob(container, name, snapshot).url)
    while client.get_blob_properties().copy.status == "pending":
        time.sleep(0.1)


def lease(container, name, identifier):
    blob(container, name).acquire_lease(lease_id=identifier)


def sequence(container, name, number):
    blob(container, name).set_sequence_number(SequenceNumberAction.Update,
                                              number)


def hours(number):
    return datetime.datetime.utcnow() + datetime.timedelta(hours=float(number))


def sas(container, permissions="racwdl", start=None, end="1"):
    print(generate_container_sas(
        SERVICE.account_name, container,
        account_key=SERVICE.credential.account_key, permission=permissions,
        start=hours(start) if start else None, expiry=hours(end)))


def blob_sas(container, name, permissions="rw"):
    print(generate_blob_sas(
        SERVICE.account_name, container, name,
        account_key=SERVICE.credential.account_key, permission=permissions,
        expiry=hours("1")))


def account_sas(permissions, types, services="b"):
    # The SDK's own offers no service but blobs: this is what it calls.
    print(SharedAccessSignature(
        SERVICE.account_name, SERVICE.credential.account_key).generate_account(
            services, types, permissions, hours("1")))


def account_sases(*wanted):
    for permissions, types, hours in (w.split(":") for w in wanted):
        print(generate_account_sas(
            SERVICE.account_name, SERVICE.credential.account_key,
            resource_types=types, permission=permissions,
            expiry=datetime.datetime.utcnow() +
            datetime.timedelta(hours=int(hours))))


VERBS = {
    "create-container": create_container, "create": create, "put": put,
    "put-json": put_json, "delete": delete, "read": read, "fetch": fetch, "ranges": ranges,
    "list": list_blobs, "properties": properties, "snapshot": snapshot_blob,
    "promote": promote,
    "lease": lease, "sequence": sequence, "sas": sas,
    "blob-sas": blob_sas,
    "account-sas": account_sas,
    "account-sases": account_sases,
}


def main():
    try:
        VERBS[sys.argv[1]](*sys.argv[2:])
    except AzureError as error:
        print(f"sdk.py: {error.message}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
