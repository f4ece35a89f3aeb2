package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.github.dockerjava.api.model.HostConfig;
import java.util.List;

/**
 * A host configuration that also says what of /proc and /sys a sandbox does not see, and what it may only read: two fields
 * of the engine's API that docker-java has no words for. The lists are ours because engines' own differ from version to
 * version: Docker 20.10 shows power meters and
 * interrupts, from which a neighbour's work can be told, and none hides /proc/pressure, which anybody may even write to. The runtime leaves
 * out what its kernel does not have.
 */
final class KernelFilesHostConfig extends HostConfig {
    private static final long serialVersionUID = 1L;

    /** What tells of the host or of others and no agent needs, or what only root may use and is not there to be tried. */
    @JsonProperty("MaskedPaths")
    List<String> maskedPaths() {
        return List.of(
                // the kernel itself: its build, its addresses, its keys, its memory
                "/proc/config.gz",
                "/proc/kallsyms",
                "/proc/kcore",
                "/proc/key-users",
                "/proc/keys",
                "/proc/modules",
                "/proc/sysrq-trigger",
                "/sys/kernel",
                "/sys/module",
                // what others do at this moment
                "/proc/buddyinfo",
                "/proc/interrupts",
                "/proc/latency_stats",
                "/proc/pagetypeinfo",
                "/proc/pressure",
                "/proc/sched_debug",
                "/proc/schedstat",
                "/proc/softirqs",
                "/proc/timer_list",
                "/proc/timer_stats",
                "/sys/devices/virtual/powercap",
                // the hardware
                "/proc/acpi",
                "/proc/asound",
                "/proc/scsi",
                "/sys/firmware");
    }

    /** What the kernel lets its owner change, whether or not the agent could. */
    @JsonProperty("ReadonlyPaths")
    List<String> readOnlyPaths() {
        return List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys");
    }
}
