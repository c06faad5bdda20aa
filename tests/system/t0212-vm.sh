#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A machine of two disks comes back: its disks, exactly; a template that Azure's
# schemas accept, a domain that libvirt's accept, a script for QEMU, with what the
# machine had. What was not recorded is assumed aloud. A bad template is found.

. "$(dirname "$0")/../lib/tap.sh"
. "$TESTS/lib/vault.sh"
. "$TESTS/lib/imds.sh"
. "$TESTS/lib/libvirt.sh"

libvirt_install || exit 1
vault_start
ROOT=$WORK/root.img DATA=$WORK/data.img LOGS=$WORK/logs.img
random_disk "$ROOT" 4
random_disk "$DATA" 2
truncate -s $((2 * 1048576 + 512)) "$DATA"
random_disk "$LOGS" 1
# What is booted says so, then what the second disk begins with, and goes off.
gcc -x assembler-with-cpp -m16 -nostdlib -static -no-pie \
	-Wl,--build-id=none,--oformat=binary,-Ttext=0x7c00 -o "$WORK/sector" - \
	<<-'END' || exit 1
	.code16
	.globl _start
	_start:	xorw %ax, %ax
		movw %ax, %ds
		movw %ax, %es
		movw %ax, %ss
		movw $0x7c00, %sp
		movw $text, %si
		call print
		movw $0x0201, %ax	/* one sector, */
		movw $0x7e00, %bx	/* to here, */
		movw $0x0001, %cx	/* the first, */
		movw $0x0081, %dx	/* of the second disk */
		int $0x13
		movw $0x7e00, %si
		call print
		movw $0x604, %dx	/* ACPI's control register */
		movw $0x2000, %ax
		outw %ax, %dx
	1:	hlt
		jmp 1b
	print:	movw $0x3f8, %dx	/* the serial port */
	2:	lodsb
		testb %al, %al
		jz 3f
		outb %al, %dx
		jmp 2b
	3:	ret
	text:	.asciz "This is root.\n"
		.org 510
		.word 0xaa55
END
dd if="$WORK/sector" of="$ROOT" conv=notrunc status=none
printf 'This is logs.\n\0' | dd of="$LOGS" conv=notrunc status=none
vault_make Main
for disk in logs root data; do
	tidemark protect "$VAULT" "$WORK/$disk.img" --disk $disk --item web-1
done
tidemark backup --json
POINT=$(json result.point)

# from FILE PATH: a member of a JSON file
from() {
	/usr/bin/python3 -c '
import json, sys
value = json.load(open(sys.argv[1]))
for step in sys.argv[2].split("/"):
    value = value[int(step)] if isinstance(value, list) else value[step]
print(value if isinstance(value, str) else json.dumps(value))' "$1" "$2"
}

# resource FILE TYPE [NAME]: the first of a template's resources, into $WORK/one
resource() {
	/usr/bin/python3 -c '
import json, sys
found = [r for r in json.load(open(sys.argv[1]))["resources"]
         if r["type"] == sys.argv[2] and sys.argv[3] in r["name"]]
print(json.dumps(found[0]))' "$1" "$2" "${3-}" >"$WORK/one"
}

arm() {
	"$TESTS/lib/arm.py" "$1" >"$WORK/arm" 2>&1
}

# Image files: the machine that backs them up is not the one that they are of
"$TESTS/lib/sdk.py" read "$(container)" "points/$POINT" >"$WORK/point.json"
! grep -q '"machine"' "$WORK/point.json"
ok $? "a point of image files does not speak of this machine"
tidemark restore vm latest "$WORK/bare" --json
is "$STATUS" 3 "it is restored with warnings"
is "$(json result.files)" '["domain.xml", "qemu.sh"]' "for libvirt and QEMU"
like "$(json result.warnings)" \
	"*does not say which disk*which firmware*how large*" \
	"which say what is assumed"
cmp "$WORK/bare/root.img" "$ROOT" && cmp "$WORK/bare/data.img" "$DATA" &&
	cmp "$WORK/bare/logs.img" "$LOGS"
ok $? "the disks are what was backed up"
libvirt_valid "$WORK/bare/domain.xml" 2>"$WORK/log"
ok $? "libvirt's schema accepts the domain" || sed 's/^/# /' "$WORK/log"
tidemark restore vm latest "$WORK/bare"
is "$STATUS" 11 "what is there is not replaced unasked"
tidemark restore vm latest "$WORK/bare-azure" --for azure
is "$STATUS" 3 "for Azure"
arm "$WORK/bare-azure"
ok $? "Azure's schemas accept the template" || sed 's/^/# /' "$WORK/arm"
from "$WORK/bare-azure/parameters.json" parameters/vmSize >/dev/null 2>&1
is $? 1 "a size that is not known is not made up"

# The same as a machine of Azure would have recorded it
/usr/bin/python3 - "$WORK/point.json" <<-'END' >"$WORK/azure.json"
	import json, sys
	point = json.load(open(sys.argv[1]))
	point["machine"] = {
	    "hostname": "web-1.example", "architecture": "x86_64",
	    "firmware": "uefi", "cpus": 4, "memory": 8 << 30,
	    "azure": {"name": "web1-prod", "size": "Standard_D4s_v5",
	              "location": "westeurope", "zone": "2", "vtpm": True,
	              "secure_boot": True, "plan": "p", "plan_product": "o",
	              "plan_publisher": "acme"},
	    "disks": [
	        {"name": "data", "lun": 7, "sku": "Premium_LRS",
	         "caching": "ReadOnly", "driver": "storvsc"},
	        {"name": "logs", "lun": 3, "driver": "storvsc"},
	        {"name": "root", "os": True, "sku": "StandardSSD_LRS",
	         "caching": "ReadWrite", "driver": "storvsc"}],
	    "nics": [
	        {"name": "eth0", "mac": "00:0d:3a:01:02:03", "accelerated": True,
	         "driver": "hv_netvsc", "subnet": "10.1.2.0/24"},
	        {"name": "eth1", "mac": "00:0d:3a:01:02:04",
	         "driver": "hv_netvsc"}]}
	print(json.dumps(point))
END
"$TESTS/lib/sdk.py" put-json "$(container)" "points/$POINT" <"$WORK/azure.json"
"$TESTS/lib/sdk.py" create-container copies

# fetch NAME: of container copies, into $WORK/copy.vhd
fetch() {
	"$TESTS/lib/sdk.py" fetch "$WORK/copy.vhd" copies "$1"
}

tidemark restore vm "$POINT" "$WORK/az" --blobs "$PROXY_URL/copies/" --json
is "$STATUS" 0 "to Azure, as page blobs"
is "$(ls "$WORK/az")" "parameters.json
template.json" "nothing else is written"
for disk in root data logs; do
	fetch "web1-prod-$disk.vhd"
	same_disk "the copy of disk $disk" "$WORK/copy.vhd" "$WORK/$disk.img"
done
arm "$WORK/az"
ok $? "Azure's schemas accept the template" || sed 's/^/# /' "$WORK/arm"
T=$WORK/az/template.json P=$WORK/az/parameters.json
is "$(from "$P" parameters/vmName/value) $(from "$P" parameters/vmSize/value) \
$(from "$P" parameters/location/value)" \
	"web1-prod Standard_D4s_v5 westeurope" "name, size, location"
is "$(from "$P" parameters/osDiskUri/value)" \
	"$PROXY_URL/copies/web1-prod-root.vhd" "the OS disk's VHD"
is "$(from "$P" parameters/dataDisk7Uri/value)" \
	"$PROXY_URL/copies/web1-prod-data.vhd" "a data disk's"
is "$(from "$P" parameters/storageAccount/value)" devstoreaccount1 \
	"the account they are in"
resource "$T" Microsoft.Compute/virtualMachines
is "$(from "$WORK/one" properties/storageProfile/dataDisks/0/lun) \
$(from "$WORK/one" properties/storageProfile/dataDisks/1/lun)" "3 7" \
	"the LUNs of the data disks"
like "$(from "$WORK/one" properties/storageProfile/osDisk/managedDisk/id)" \
	"*-root'*" "the OS disk"
like "$(from "$WORK/one" properties/storageProfile/dataDisks/1/managedDisk/id)" \
	"*-data'*" "and which disk has which"
is "$(from "$WORK/one" properties/storageProfile/dataDisks/1/caching)" ReadOnly \
	"caching"
is "$(from "$WORK/one" zones/0) $(from "$WORK/one" plan/publisher)" "2 acme" \
	"zone and plan"
is "$(from "$WORK/one" properties/securityProfile/uefiSettings/vTpmEnabled)" \
	true "trusted launch"
like "$(from "$WORK/one" properties/networkProfile/networkInterfaces/1/id)" \
	"*-eth1'*" "both NICs"
resource "$T" Microsoft.Compute/disks -root
is "$(from "$WORK/one" properties/hyperVGeneration) \
$(from "$WORK/one" properties/creationData/createOption)" "V2 Import" \
	"the OS disk is of generation 2, and made of the VHD"
resource "$T" Microsoft.Compute/disks -data
is "$(from "$WORK/one" sku/name)" Premium_LRS "a data disk is of its kind"
resource "$T" Microsoft.Network/networkInterfaces eth0
is "$(from "$WORK/one" properties/enableAcceleratedNetworking)" true \
	"accelerated networking"
resource "$T" Microsoft.Network/virtualNetworks
is "$(from "$WORK/one" properties/subnets/0/properties/addressPrefix)" \
	10.1.2.0/24 "a subnet like its own"

# spoil TEXT CODE: a template, changed by Python that has it as t, is refused
spoil() {
	rm -rf "$WORK/bad"
	cp -r "$WORK/az" "$WORK/bad"
	/usr/bin/python3 -c '
import json, sys
t = json.load(open(sys.argv[1] + "/template.json"))
p = json.load(open(sys.argv[1] + "/parameters.json"))
vm, disk = t["resources"][-1], t["resources"][-2]
exec(sys.argv[2])
json.dump(t, open(sys.argv[1] + "/template.json", "w"))
json.dump(p, open(sys.argv[1] + "/parameters.json", "w"))' "$WORK/bad" "$2"
	! arm "$WORK/bad" && ! grep -q Traceback "$WORK/arm"
	ok $? "found: $1" || sed 's/^/# /' "$WORK/arm"
}

spoil "a LUN that is no number" \
	'vm["properties"]["storageProfile"]["dataDisks"][0]["lun"] = "x"'
spoil "a data disk without a LUN" \
	'del vm["properties"]["storageProfile"]["dataDisks"][0]["lun"]'
spoil "a way to create that does not exist" \
	'disk["properties"]["creationData"]["createOption"] = "Impart"'
spoil "a disk of nothing" 'del disk["properties"]["creationData"]'
spoil "a version that does not exist" 'disk["apiVersion"] = "2023-10-03"'
spoil "a type that does not exist" 'vm["type"] += "x"'
spoil "a parameter that is not declared" 'del t["parameters"]["vmSize"]'
spoil "a parameter without a value" 'p["parameters"]["vmSize"] = {}'
spoil "one LUN twice" \
	'vm["properties"]["storageProfile"]["dataDisks"][0]["lun"] = 7'
spoil "a disk that is not there" 't["resources"].remove(disk)'

# At home
tidemark restore vm "$POINT" "$WORK/a home & more" --for libvirt --for qemu
is "$STATUS" 0 "to this machine"
cmp "$WORK/a home & more/root.img" "$ROOT" &&
	cmp "$WORK/a home & more/data.img" "$DATA"
ok $? "the disks"
X="$WORK/a home & more/domain.xml"
libvirt_valid "$X" 2>"$WORK/log"
ok $? "libvirt's schema accepts the domain" || sed 's/^/# /' "$WORK/log"
# xml XPATH: its text
xml() {
	xmllint --xpath "string($1)" "$X"
}
is "$(xml /domain/name) $(xml /domain/vcpu) $(xml /domain/memory) \
$(xml /domain/os/@firmware)" "web1-prod 4 8192 efi" \
	"name, processors, memory, firmware"
is "$(xml '//disk[1]/source/@file')" "$WORK/a home & more/root.img" \
	"the OS disk is the first"
is "$(xml '//disk[3]/source/@file')" "$WORK/a home & more/data.img" \
	"then the others, by LUN"
is "$(xml '//interface[2]/mac/@address') $(xml '//interface[1]/link/@state')" \
	"00:0d:3a:01:02:04 down" "NICs with their addresses, unplugged"
sed 's/bus="scsi"/bus="scsy"/' "$X" >"$WORK/bad.xml"
! libvirt_valid "$WORK/bad.xml" 2>/dev/null
ok $? "found: a bus that does not exist"
sh -n "$WORK/a home & more/qemu.sh"
ok $? "the script is one"
grep -q -- '-smp 4 -m 8192M' "$WORK/a home & more/qemu.sh" &&
	grep -q -- '-bios' "$WORK/a home & more/qemu.sh" &&
	grep -q 'mac=00:0d:3a:01:02:03' "$WORK/a home & more/qemu.sh"
ok $? "with processors, memory, firmware and NICs"
tidemark restore vm "$POINT" "$WORK/vhd" --for=azure,qemu
is "$STATUS" 0 "for both, by one option"
qemu-img compare -f vpc -F raw "$WORK/vhd/root.vhd" "$ROOT" >/dev/null &&
	grep -q 'file=root.vhd,format=vpc' "$WORK/vhd/qemu.sh"
ok $? "of VHDs"

# QEMU itself: the OS disk is booted, and finds the first data disk. A /dev/kvm
# that is there need not work.
sed 's/-bios[^\\]*//; s/-accel kvm //' "$WORK/vhd/qemu.sh" >"$WORK/vhd/bios.sh"
timeout 300 sh "$WORK/vhd/bios.sh" -m 128M -snapshot </dev/null >"$WORK/log" 2>&1
is "$? $(tr -d '\r' <"$WORK/log" | grep -o 'This is .*' | tr '\n' ' ')" \
	"0 This is root. This is logs. " "by QEMU it boots" ||
	sed 's/^/# /' "$WORK/log"
qemu-img compare -f vpc -F raw "$WORK/vhd/root.vhd" "$ROOT" >/dev/null
ok $? "and with -snapshot leaves the disks as they are"

# What is meant is said
tidemark restore vm "$POINT" "$WORK/no" --for vmware
is "$STATUS" 2 "for what is not known"
tidemark restore vm "$POINT" "$WORK/no" --for azure --format raw
is "$STATUS" 2 "raw disks for Azure"
tidemark restore vm "$POINT" "$WORK/no" --for qemu --blobs "$PROXY_URL/copies"
is "$STATUS" 2 "blobs for QEMU"
tidemark restore vm 20010101T000000Z "$WORK/no"
is "$STATUS" 4 "a point that is not there"
[ ! -e "$WORK/no" ]
ok $? "and nothing was made"

# A machine with devices records itself
LOOP=
[ "$(id -u)" -ne 0 ] || LOOP=$(losetup --show -f "$ROOT" 2>/dev/null) || LOOP=
if [ -n "$LOOP" ]; then
	at_exit "losetup -d $LOOP"
	machine m2
	imds_start "$WORK"
	imds_rules '{"instance": {"compute": {"name": "m2", "vmSize":
		"Standard_B2s", "location": "[boom]", "zone": ""}}}'
	tidemark protect "$VAULT" "$LOOP" --disk root --item m2
	tidemark backup
	tidemark points show latest --json
	is "$(json result.point.machine.hostname)" "$(uname -n)" \
		"a point of a device says whose it is"
	is "$(json result.point.machine.cpus)" "$(getconf _NPROCESSORS_CONF)" \
		"its processors"
	is "$(json result.point.machine.azure.size)" Standard_B2s \
		"what Azure says of it"
	grep -q boom "$WORK/out"
	is $? 1 "but nothing that would be an expression"
	imds_rules '{}'
	tidemark backup
	ok $? "who does not get an answer backs up all the same"
fi
finish
