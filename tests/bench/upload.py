#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""upload.py FILE BYTES CONCURRENCY: the official SDK's upload of a page blob"""
import os
import sys

from azure.storage.blob import BlobServiceClient, BlobType

service = BlobServiceClient.from_connection_string(
    os.environ["AZURE_STORAGE_CONNECTION_STRING"])
with open(sys.argv[1], "rb") as disk:
    service.get_blob_client("vault", "disks/sdk.vhd").upload_blob(
        disk, blob_type=BlobType.PAGEBLOB, length=int(sys.argv[2]),
        overwrite=True, max_concurrency=int(sys.argv[3]))
