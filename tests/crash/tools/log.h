/* SPDX-License-Identifier: MIT */
/*
 * log.h - what happened to the disks with volatile caches, request by request
 *
 * A log is a sequence of entries, each a struct log_entry and, at the start of
 * a write, its data. A request has a START when it comes in and an END before
 * it is answered; between the two the disk may have done any part of it. All
 * disks share one log, so that there is one order.
 *
 * Byte order is the machine's: who reads a log has written it.
 */
#ifndef TESTS_CRASH_LOG_H
#define TESTS_CRASH_LOG_H

#include <stdint.h>

#define LOG_MAGIC	0x676f6c74U
#define LOG_SECTOR	512

enum log_disk {
	LOG_ORIGIN,
	LOG_META,
	LOG_MARK,	/* what is written here are words to the reader */
	LOG_DISKS
};

/* As exports and files are called. */
#define LOG_DISK_NAMES { "origin", "meta", "mark" }

enum log_op {
	LOG_WRITE,
	LOG_ZERO,
	LOG_TRIM,
	LOG_FLUSH,
};

struct log_entry {
	uint32_t magic;
	uint8_t end;		/* 0: START, 1: END */
	uint8_t disk;
	uint8_t op;
	uint8_t fua;
	uint64_t id;		/* of the request; START and END have the same */
	uint64_t offset;	/* bytes, whole sectors */
	uint64_t length;	/* data follow a START of LOG_WRITE */
	uint64_t time;		/* ns, CLOCK_MONOTONIC */
};

#endif
