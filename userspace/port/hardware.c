// SPDX-License-Identifier: MIT
#include "port/hardware.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define LINE_SIZE	256
/* Which every virtual machine of Azure has; cloud-init and its agent look at it. */
#define AZURE_TAG	"7783-7084-3265-9085-8269-3286-77"

static int open_at(const char *root, const char *dir, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s%s/%s", root, dir, name) >=
	    (int)sizeof(path))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

static bool is_there(const char *root, const char *dir, const char *name)
{
	int fd = open_at(root, dir, name);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* What a firmware or an administrator may say: only what can be printed. */
static void copy_printable(char *ret, const char *s, size_t len, size_t size)
{
	size_t i;

	if (len >= size)
		len = size - 1;
	for (i = 0; i < len; i++)
		ret[i] = s[i] >= ' ' && s[i] <= '~' ? s[i] : '?';
	ret[len] = '\0';
}

/* The first line. False, and nothing, if there is none. */
static bool read_text(const char *root, const char *dir, const char *name,
		      char *ret, size_t size)
{
	int fd = open_at(root, dir, name);
	char line[LINE_SIZE];
	ssize_t n = -1;
	size_t len;

	if (fd >= 0) {
		n = read(fd, line, sizeof(line) - 1);
		close(fd);
	}
	if (n <= 0)
		return false;
	line[n] = '\0';
	len = strcspn(line, "\n");
	while (len && line[len - 1] == ' ')
		len--;
	if (len)
		copy_printable(ret, line, len, size);
	return len;
}

static void read_word(const char *root, const char *dir, const char *name,
		      char ret[TM_WORD_SIZE])
{
	char s[TM_WORD_SIZE];

	if (read_text(root, dir, name, s, sizeof(s)) && tm_word_valid(s))
		strcpy(ret, s);
}

/* The last part of where a link leads to; "" if there is none. */
static void link_end(const char *root, const char *dir, const char *name,
		     char ret[TM_WORD_SIZE])
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *base;
	ssize_t n = -1;

	*ret = '\0';
	if (snprintf(path, sizeof(path), "%s%s/%s", root, dir, name) <
	    (int)sizeof(path))
		n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (strlen(base) < TM_WORD_SIZE)
		strcpy(ret, base);
}

static bool is_online(const char *root, const char *block)
{
	char dir[PATH_MAX], state[16];

	snprintf(dir, sizeof(dir), "/sys/devices/system/memory/%.64s", block);
	return read_text(root, dir, "state", state, sizeof(state)) &&
	       !strcmp(state, "online");
}

/*
 * All that the machine was given, in whole blocks; without them what the kernel
 * has left over.
 */
static uint64_t memory_of(const char *root)
{
	static const char dir[] = "/sys/devices/system/memory";
	char path[PATH_MAX], text[LINE_SIZE];
	struct dirent *e;
	uint64_t block = 0, n = 0;
	DIR *all;

	if (read_text(root, dir, "block_size_bytes", text, sizeof(text)))
		block = strtoull(text, NULL, 16);
	snprintf(path, sizeof(path), "%s%s", root, dir);
	all = block ? opendir(path) : NULL;
	while (all && (e = readdir(all)))
		n += !strncmp(e->d_name, "memory", 6) &&
		     isdigit((unsigned char)e->d_name[6]) &&
		     is_online(root, e->d_name);
	if (all)
		closedir(all);
	if (n && block <= INT64_MAX / n)
		return n * block;
	return (uint64_t)sysconf(_SC_PHYS_PAGES) *
	       (uint64_t)sysconf(_SC_PAGESIZE);
}

static void read_firmware(const char *root, struct tm_machine *m)
{
	if (is_there(root, "/sys/firmware", "efi"))
		strcpy(m->firmware, TM_FIRMWARE_UEFI);
	else if (!strcmp(m->architecture, "x86_64"))
		strcpy(m->firmware, TM_FIRMWARE_BIOS);
}

/*
 * Two with one address are one to the machine: with accelerated networking a
 * function of the real device stands behind Hyper-V's.
 */
static struct tm_machine_nic *same_address(struct tm_machine *m,
					   const char *mac)
{
	size_t i;

	for (i = 0; i < m->n_nics; i++)
		if (*mac && !strcmp(m->nics[i].mac, mac))
			return &m->nics[i];
	return NULL;
}

static int read_nic(const char *root, const char *name, struct tm_machine *m)
{
	struct tm_machine_nic nic = { .accelerated = false }, *twin;
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "/sys/class/net/%.64s", name);
	if (tm_name_check(name, "NIC", NULL) || !is_there(root, dir, "device"))
		return 0;
	strcpy(nic.name, name);
	if (read_text(root, dir, "address", nic.mac, sizeof(nic.mac)) &&
	    !tm_mac_valid(nic.mac))
		*nic.mac = '\0';
	link_end(root, dir, "device/driver", nic.driver);
	if (!tm_word_valid(nic.driver))
		*nic.driver = '\0';
	twin = same_address(m, nic.mac);
	if (!twin) {
		twin = tm_machine_add_nic(m, name);
		if (!twin)
			return -ENOMEM;
		*twin = nic;
		return 0;
	}
	nic.accelerated = !strcmp(nic.driver, "hv_netvsc") ||
			  !strcmp(twin->driver, "hv_netvsc");
	if (strcmp(nic.driver, "hv_netvsc"))
		twin->accelerated = nic.accelerated;
	else
		*twin = nic;
	return 0;
}

static int is_name(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int read_nics(const char *root, struct tm_machine *m)
{
	char path[PATH_MAX];
	struct dirent **list;
	int n, i, r = 0;

	snprintf(path, sizeof(path), "%s/sys/class/net", root);
	n = scandir(path, &list, is_name, versionsort);
	for (i = 0; i < n; i++) {
		if (!r)
			r = read_nic(root, list[i]->d_name, m);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return r;
}

int hardware_read(const char *root, struct tm_machine *ret)
{
	static const char dmi[] = "/sys/class/dmi/id";
	struct utsname name;
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	if (!uname(&name)) {
		copy_printable(ret->hostname, name.nodename,
			       strlen(name.nodename), sizeof(ret->hostname));
		if (tm_word_valid(name.machine))
			strcpy(ret->architecture, name.machine);
	}
	read_text(root, dmi, "sys_vendor", ret->vendor, sizeof(ret->vendor));
	read_text(root, dmi, "product_name", ret->product,
		  sizeof(ret->product));
	read_firmware(root, ret);
	if (cpus > 0 && cpus <= UINT16_MAX)
		ret->cpus = (uint32_t)cpus;
	ret->memory = memory_of(root);
	return read_nics(root, ret);
}

bool hardware_is_azure(const char *root)
{
	char tag[LINE_SIZE];

	return read_text(root, "/sys/class/dmi/id", "chassis_asset_tag", tag,
			 sizeof(tag)) && !strcmp(tag, AZURE_TAG);
}

/* H:C:T:L, where L is what the host calls the LUN. */
static void read_scsi(const char *root, const char *address,
		      struct tm_machine_disk *d)
{
	unsigned int host, channel, target, lun;
	char dir[PATH_MAX];

	if (sscanf(address, "%u:%u:%u:%u", &host, &channel, &target, &lun) != 4)
		return;
	snprintf(dir, sizeof(dir), "/sys/class/scsi_host/host%u", host);
	read_word(root, dir, "proc_name", d->driver);
	if (lun <= TM_LUN_MAX) {
		d->has_lun = true;
		d->lun = lun;
	}
}

/* With NVMe, Azure's namespace 1 is the OS disk, and LUN 0 the namespace 2. */
static void read_nvme(const char *root, const char *dir,
		      struct tm_machine_disk *d)
{
	char text[16];
	unsigned long nsid;

	strcpy(d->driver, "nvme");
	if (!read_text(root, dir, "nsid", text, sizeof(text)))
		return;
	nsid = strtoul(text, NULL, 10);
	if (nsid >= 2 && nsid - 2 <= TM_LUN_MAX) {
		d->has_lun = true;
		d->lun = (uint32_t)nsid - 2;
	}
}

void hardware_disk(const char *root, const char *name,
		   struct tm_machine_disk *ret)
{
	char dir[PATH_MAX], device[TM_WORD_SIZE];

	snprintf(dir, sizeof(dir), "/sys/class/block/%.64s", name);
	if (!strncmp(name, "nvme", 4)) {
		read_nvme(root, dir, ret);
		return;
	}
	link_end(root, dir, "device", device);
	read_scsi(root, device, ret);
	if (*ret->driver)
		return;
	link_end(root, dir, "device/driver", device);
	if (tm_word_valid(device))
		strcpy(ret->driver, device);
}
