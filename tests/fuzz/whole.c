// SPDX-License-Identifier: MIT
#include "whole.h"

#define DIGEST \
	"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

const char whole_vault[] =
	"{\"format\":1,\"id\":\"00112233445566778899aabbccddeeff\","
	"\"name\":\"Harbour-1\",\"created\":\"2026-11-22T18:05:07Z\","
	"\"note\":{\"kept\":[1,2.5,null]}}";

const char whole_item[] =
	"{\"format\":1,\"id\":\"00112233445566778899aabbccddeeff\","
	"\"name\":\"web-01\","
	"\"container\":\"tidemark-00112233445566778899aabbccddeeff\","
	"\"created\":\"2026-11-22T18:05:07Z\",\"disks\":[\"root\","
	"\"data\"]}";

const char whole_disk[] =
	"{\"format\":1,\"name\":\"data\","
	"\"vault\":\"https://acme.blob.core.windows.net/vault\","
	"\"vault_id\":\"ff112233445566778899aabbccddeeff\","
	"\"item\":\"00112233445566778899aabbccddeeff\","
	"\"item_name\":\"web\",\"container\":\"tidemark-x\","
	"\"path\":\"/dev/sdc\",\"chunk_size\":65536,"
	"\"segments\":[{\"start\":0,\"len\":1048576,\"kind\":\"scan\","
	"\"device\":\"/dev/sdc\",\"offset\":0},{\"start\":1048576,"
	"\"len\":512,\"kind\":\"tracked\",\"device\":\"data\","
	"\"torn\":true}],\"tracked\":[{\"device\":\"data\","
	"\"origin\":\"/dev/sdc1\",\"meta\":\"/m\",\"store\":\"-\","
	"\"set\":\"00112233000000000000000000000000\"}]}";

const char whole_attached[] =
	"{\"format\":1,\"device\":\"data\",\"origin\":\"/dev/sdc\","
	"\"meta\":\"/m\",\"store\":\"/s\","
	"\"set\":\"00112233000000000000000000000000\",\"sectors\":2048,"
	"\"chunk_size\":65536,\"region_size\":1048576,\"close_after\":10,"
	"\"meta_timeout\":5,\"on_lost\":\"fail\",\"detached\":true,"
	"\"seal\":{\"time\":\"2026-11-26T12:00:00Z\","
	"\"ranges\":[{\"what\":\"ext4 superblock of partition 1\","
	"\"kind\":\"ext4\",\"start\":1049600,\"length\":1024,"
	"\"sha256\":\"abcd\",\"note\":\"mounted 3 times\"},"
	"{\"what\":\"end\",\"start\":0,\"length\":512}]}}";

const char whole_loss[] =
	"{\"format\":1,\"set\":\"00112233000000000000000000000000\","
	"\"device\":\"data\",\"meta\":\"/m\","
	"\"time\":\"2026-11-22T18:05:07Z\"}";

const char whole_point[] =
	"{\"format\":1,"
	"\"name\":\"20261122T180507Z-00112233445566778899aabbccddeeff\","
	"\"time\":\"2026-11-22T18:05:07Z\","
	"\"item\":\"00112233445566778899aabbccddeeff\","
	"\"item_name\":\"web\","
	"\"previous\":\"20261121T180507Z-ff112233445566778899aabbccddeef"
	"f\",\"consistency\":\"filesystem-consistent\","
	"\"cut\":\"00112233445566778899aabbccddeeff\","
	"\"program\":\"0.1.0\",\"disks\":[{\"name\":\"root\","
	"\"size\":1049088,\"vhd_size\":2097152,\"chunk_size\":65536,"
	"\"vhd_uuid\":\"00112233445566778899aabbccddeeff\","
	"\"cut\":\"00112233445566778899aabbccddeeff\","
	"\"mode\":\"incremental\","
	"\"vhd_snapshot\":\"2026-11-22T18:05:08.1234567Z\","
	"\"hash_snapshot\":\"2026-11-22T18:05:07.1234567Z\",\"sequence\":7,"
	"\"table_sha256\":\"" DIGEST "\",\"root\":\"" DIGEST "\","
	"\"previous_root\":\"" DIGEST "\","
	"\"segments\":[{\"start\":0,\"len\":1048576,\"kind\":\"scan\","
	"\"device\":\"/dev/sda\",\"offset\":0,\"torn\":true},"
	"{\"start\":1048576,\"len\":512,\"kind\":\"tracked\","
	"\"device\":\"w\",\"offset\":0}]}],"
	"\"machine\":{\"hostname\":\"web\",\"vendor\":\"QEMU\","
	"\"product\":\"Q35\",\"architecture\":\"x86_64\","
	"\"firmware\":\"uefi\",\"cpus\":4,\"memory\":8589934592,"
	"\"azure\":{\"name\":\"web1\",\"id\":\"a-b\","
	"\"size\":\"Standard_D2s_v5\",\"location\":\"westeurope\","
	"\"zone\":\"1\",\"resource_group\":\"rg\","
	"\"subscription\":\"s\",\"plan\":\"p\","
	"\"plan_product\":\"o\",\"plan_publisher\":\"u\","
	"\"secure_boot\":true,\"vtpm\":true},"
	"\"disks\":[{\"name\":\"root\",\"os\":true,"
	"\"driver\":\"storvsc\",\"resource\":\"web1_OsDisk\","
	"\"sku\":\"Premium_LRS\",\"caching\":\"ReadWrite\"},"
	"{\"name\":\"data\",\"lun\":63}],\"nics\":[{\"name\":\"eth0\","
	"\"accelerated\":true,\"mac\":\"00:0d:3a:01:02:03\","
	"\"driver\":\"hv_netvsc\",\"subnet\":\"10.0.0.0/24\"}]},"
	"\"counters\":{\"tracked\":{\"chunks_changed\":3,\"chunks_read\":3,"
	"\"chunks_same\":1,\"chunks_cleared\":0,\"chunks_uploaded\":2,"
	"\"bytes_read\":196608,\"bytes_uploaded\":131072,\"requests\":9,"
	"\"retries\":0},\"scanned\":{\"chunks_changed\":3,"
	"\"chunks_read\":3,\"chunks_same\":1,\"chunks_cleared\":0,"
	"\"chunks_uploaded\":2,\"bytes_read\":196608,"
	"\"bytes_uploaded\":131072,\"requests\":9,\"retries\":0},"
	"\"total\":{\"chunks_changed\":6,\"chunks_read\":6,"
	"\"chunks_same\":2,\"chunks_cleared\":0,\"chunks_uploaded\":4,"
	"\"bytes_read\":393216,\"bytes_uploaded\":262144,\"requests\":20,"
	"\"retries\":1},\"chunks_sampled\":16}}";

const char whole_run[] =
	"{\"format\":1,"
	"\"name\":\"20261122T180507Z-00112233445566778899aabbccddeeff\","
	"\"state\":\"running\","
	"\"item\":\"00112233445566778899aabbccddeeff\","
	"\"cut\":\"00112233445566778899aabbccddeeff\","
	"\"started\":\"2026-11-22T18:05:07Z\","
	"\"ended\":\"2026-11-22T18:05:08Z\",\"host\":\"web\"}";

const char whole_job[] =
	"{\"format\":1,"
	"\"name\":\"20261122T180507Z-00112233445566778899aabbccddeeff\","
	"\"kind\":\"backup\",\"status\":\"CompletedWithWarnings\","
	"\"point\":\"20261122T180507Z-00112233445566778899aabbccddeeff\","
	"\"started\":\"2026-11-22T18:05:07Z\","
	"\"ended\":\"2026-11-22T18:05:08Z\",\"message\":\"why\","
	"\"counters\":{\"total\":{\"chunks_changed\":3,\"chunks_read\":3,"
	"\"chunks_same\":1,\"chunks_cleared\":0,\"chunks_uploaded\":2,"
	"\"bytes_read\":196608,\"bytes_uploaded\":131072,\"requests\":9,"
	"\"retries\":0}}}";

const char whole_check[] =
	"{\"format\":1,"
	"\"name\":\"20261122T180507Z-00112233445566778899aabbccddeeff\","
	"\"time\":\"2026-11-22T18:05:07Z\",\"good\":false,"
	"\"how\":\"sample\",\"whole\":\"2026-11-21T18:05:07Z\","
	"\"disks\":[{\"name\":\"root\",\"chunks_checked\":4,"
	"\"chunks_unproved\":1,\"header_bad\":true,"
	"\"footer_bad\":true,\"bad_chunks\":[[0,1],[3,9]]}]}";

const char whole_mark[] =
	"{\"format\":1,"
	"\"name\":\"20261122T180507Z-00112233445566778899aabbccddeeff\","
	"\"keep_until\":\"2027-11-22T18:05:07Z\","
	"\"deleted\":\"2026-11-23T18:05:07Z\",\"host\":\"admin\"}";

const char whole_hold[] =
	"{\"format\":1,\"id\":\"00112233445566778899aabbccddeeff\","
	"\"point\":\"20261122T180507Z-00112233445566778899aabbccddeeff\","
	"\"why\":\"mount\",\"host\":\"web\","
	"\"since\":\"2026-11-23T18:05:07Z\","
	"\"until\":\"2026-11-23T19:05:07Z\"}";
