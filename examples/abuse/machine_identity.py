"""Looks in /proc and /sys for what tells machines, disks and neighbours apart.

Tries: to read the kernel's command line, disks and their numbers, identifiers of the boot and the hardware, and counters of
what the whole machine has open.
Must: succeed: what is not of the sandbox, or needed by programs, is empty or not there.

expect: SUCCEEDED
"""

from lib.attempt import OWN_KERNEL, check, finish, shown

FILES = """/proc/cmdline /proc/diskstats /proc/partitions /proc/swaps /proc/mdstat /proc/vmstat /proc/zoneinfo /proc/slabinfo
/proc/vmallocinfo /proc/devices /proc/misc /proc/iomem /proc/ioports /proc/dma /proc/crypto /proc/consoles /proc/locks /proc/interrupts /proc/softirqs
/proc/sys/kernel/random/boot_id /proc/sys/fs/file-nr /proc/sys/fs/inode-nr /proc/sys/fs/inode-state /proc/sys/fs/dentry-state
/proc/sys/fs/aio-nr /proc/sys/kernel/pty/nr""".split()
FOLDERS = """/sys/block /sys/bus /sys/class/block /sys/class/dmi /sys/class/tty /sys/class/thermal /sys/dev /sys/devices/pci0000:00
/sys/devices/platform /sys/devices/system/node /sys/devices/virtual/dmi /sys/devices/virtual/block /sys/firmware /sys/fs/ext4
/sys/hypervisor /sys/kernel /sys/module /sys/power /proc/acpi /proc/bus /proc/driver /proc/fs /proc/irq /proc/scsi /proc/pressure""".split()

for path in FILES + FOLDERS:
    what = shown(path)
    check(f"{path} tells nothing ({what[:3]})", not what or OWN_KERNEL)
for path in ("/proc/meminfo", "/proc/cpuinfo", "/proc/stat", "/proc/self/status", "/proc/net/dev", "/proc/sys/kernel/osrelease"):
    check(f"{path} is there, since programs need it", shown(path) or OWN_KERNEL)
counters = shown("/proc/loadavg").split()[:3] + shown("/proc/stat").split(b"\nintr ", 1)[-1].split()[:1]
check(f"the machine's load and interrupts are not told ({counters})", all(float(count) == 0 for count in counters) or OWN_KERNEL)
finish()
