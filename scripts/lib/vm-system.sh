#!/bin/sh
# SPDX-License-Identifier: MIT
#
# vm-system.sh - a full Debian bookworm guest under systemd
#
# Run by `scripts/vm system ARG...` (exec this file with the arguments after
# the verb). Being built here.
#
#   scripts/vm system [--disk FILE[:OPTS]]... [--mem MiB] [--smp N]
#	[--timeout S] [--add HOSTPATH[:GUESTPATH]]... [--forward PORT]
#	[--host HANDLER] [--keep FILE] SCRIPT [ARG...]
#   scripts/vm system --image		ensure the cached image, print its path
#
# The contract is that of `scripts/vm run`; what differs:
#
# - The guest is bookworm's own root (systemd, udev, LVM, PostgreSQL) on a
#   disk of its own, thrown away at the end, or kept in FILE with --keep: the
#   next boot with the same FILE continues from there, so that what happens
#   at boot can be tested.
# - SCRIPT runs as root from a unit ordered after multi-user.target.
# - The disks given appear as /dev/vda, vdb ... in order, as in `run`; each
#   has its number as serial, so /dev/disk/by-id/virtio-diskN names it too.
