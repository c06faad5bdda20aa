// SPDX-License-Identifier: MIT
#include "unit.h"

#include <string.h>

#include "model/qemuboot.h"

static struct tm_point_disk disks[8];
static struct tm_machine_disk had[8];
static const struct tm_point point = { .disks = disks, .n_disks = 8 };

static struct tm_rebuild machine(struct tm_rebuild_disk *room, size_t n,
				 const char *driver)
{
	size_t i;

	for (i = 0; i < n; i++) {
		snprintf(had[i].driver, sizeof(had[i].driver), "%s", driver);
		room[i] = (struct tm_rebuild_disk){ .disk = &disks[i],
						    .had = &had[i] };
	}
	return (struct tm_rebuild){ .point = &point, .disks = room,
				    .n_disks = n, .cpus = 3,
				    .memory_mib = 640 };
}

/* The words after each @option, with '\n' between them. */
static const char *after(char **words, const char *option)
{
	static char text[4096];

	*text = '\0';
	for (; words[0] && words[1]; words++)
		if (!strcmp(words[0], option)) {
			strcat(text, words[1]);
			strcat(text, "\n");
		}
	return text;
}

static void chooses_a_controller_that_is_known(void **state)
{
	static const struct {
		const char *driver;
		enum tm_bus bus;
	} cases[] = {
		{ "", TM_BUS_VIRTIO_SCSI },
		{ "storvsc", TM_BUS_VIRTIO_SCSI },
		{ "nvme", TM_BUS_VIRTIO_SCSI },
		{ "virtio_scsi", TM_BUS_VIRTIO_SCSI },
		{ "virtio_blk", TM_BUS_VIRTIO },
		{ "ahci", TM_BUS_AHCI },
		{ "ata_piix", TM_BUS_AHCI },
	};
	struct tm_rebuild_disk room[1];
	struct tm_rebuild b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		b = machine(room, 1, cases[i].driver);
		assert_int_equal(tm_rebuild_bus(&b), cases[i].bus);
	}
}

static void gives_each_disk_its_socket(void **state)
{
	struct tm_rebuild_disk room[8];
	struct tm_rebuild b = machine(room, 8, "");
	const struct tm_qemu_boot how = { .machine = &b, .bus = TM_BUS_AHCI };
	char **words;
	const char *text;

	(void)state;
	assert_int_equal(tm_qemu_boot_words(&how, &words), 0);
	assert_string_equal(words[0], "setpriv");
	assert_string_equal(after(words, "-smp"), "3\n");
	assert_string_equal(after(words, "-m"), "640M\n");
	assert_string_equal(after(words, "-nic"), "none\n");
	assert_string_equal(after(words, "-bios"), "");
	assert_string_equal(after(words, "--reuid"), "");
	text = after(words, "-device");
	assert_non_null(strstr(text, "ahci,id=ahci1\n"));
	assert_null(strstr(text, "ahci,id=ahci2\n"));
	assert_non_null(strstr(text,
			       "ide-hd,bus=ahci0.0,drive=disk0,bootindex=0\n"));
	assert_non_null(strstr(text, "ide-hd,bus=ahci1.1,drive=disk7,bootindex=7\n"));
	text = after(words, "-blockdev");
	assert_non_null(strstr(text, "\"str\":\"3\""));
	assert_non_null(strstr(text, "\"str\":\"10\""));
	tm_qemu_boot_free(words);
}

static void is_the_machine_that_is_wanted(void **state)
{
	struct tm_rebuild_disk room[2];
	struct tm_rebuild b = machine(room, 2, "");
	struct tm_qemu_boot how = { .machine = &b, .bus = TM_BUS_VIRTIO_SCSI,
				    .as_nobody = true, .group = 7 };
	char **words;

	(void)state;
	b.uefi = true;
	assert_int_equal(tm_qemu_boot_words(&how, &words), 0);
	assert_string_equal(after(words, "--reuid"), "65534\n");
	assert_string_equal(after(words, "--regid"), "65534\n");
	assert_string_equal(after(words, "--groups"), "7\n");
	assert_string_equal(after(words, "-bios"), TM_QEMU_FIRMWARE "\n");
	assert_non_null(strstr(after(words, "-device"),
			       "scsi-hd,bus=scsi0.0,lun=1,drive=disk1,bootindex=1\n"));
	tm_qemu_boot_free(words);
	how.bus = TM_BUS_VIRTIO;
	how.group = 0;
	assert_int_equal(tm_qemu_boot_words(&how, &words), 0);
	assert_string_equal(after(words, "--clear-groups"), "--no-new-privs\n");
	assert_null(strstr(after(words, "-device"), "scsi"));
	tm_qemu_boot_free(words);
	tm_qemu_boot_free(NULL);
}

/* No fewer than 64, but for virtio's, of which each takes a place. */
static void has_room_on_each_bus(void **state)
{
	(void)state;
	assert_int_equal(tm_qemu_boot_most(TM_BUS_VIRTIO), 28);
	assert_true(tm_qemu_boot_most(TM_BUS_AHCI) >= 64);
	assert_true(tm_qemu_boot_most(TM_BUS_VIRTIO_SCSI) >= 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_a_controller_that_is_known),
		cmocka_unit_test(gives_each_disk_its_socket),
		cmocka_unit_test(is_the_machine_that_is_wanted),
		cmocka_unit_test(has_room_on_each_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
