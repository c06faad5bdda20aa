/* SPDX-License-Identifier: MIT */
/*
 * file.h - small local files: whole reads, atomic writes, locks
 */
#ifndef TIDEMARK_PORT_FILE_H
#define TIDEMARK_PORT_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Reads the whole file, at most @max bytes (-EFBIG beyond). *ret_data is the
 * caller's to free() and has a NUL after its last byte. 0 or -errno.
 */
int file_read(const char *path, size_t max, char **ret_data, size_t *ret_len);

/* As file_read() from a descriptor, to its end. */
int file_read_fd(int fd, size_t max, char **ret_data, size_t *ret_len);

/*
 * Replaces @path with @data so that after a crash either the old or the new
 * content is there: a temporary file, fsync, rename, fsync of the directory.
 * 0 or -errno.
 */
int file_write(const char *path, mode_t mode, const void *data, size_t len);

/* Makes a file at least @size bytes long, durably, with room on its disk. */
int file_allocate(const char *path, uint64_t size);

/* Removes @path durably. 0 or -errno. */
int file_remove(const char *path);

/* Makes what was done to names in @path's directory durable. 0 or -errno. */
int file_sync_directory(const char *path);

/* Makes a directory and its parents, as mkdir -p. 0 or -errno. */
int file_make_dirs(const char *path, mode_t mode);

/*
 * Takes the lock file @path, creating it, without waiting. *ret_fd holds it
 * until closed. -EAGAIN: another process has it. The file stays.
 */
int file_lock(const char *path, int *ret_fd);

#endif
