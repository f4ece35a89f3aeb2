package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.KernelMemory;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.kernel.OpenFileTable;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Decides which sandboxes to kill before the machine's table of open files is full ({@link Takers}). Pure.
 *
 * <p>A process's limit bounds its descriptors, not its files: mapped files, and files in messages, stay open without a
 * descriptor. But the kernel charges each open file to its sandbox, so the charged memory gives an upper bound of a
 * sandbox's open files.
 */
final class OpenFilesWatch {
    private OpenFilesWatch() {}

    /** The sandboxes to kill, those with the highest bounds first. */
    static List<Taker> takers(OpenFileTable table, KernelMemory memory) {
        if (!table.isScarce()) {
            return List.of();
        }
        Map<SandboxId, Long> filesAtMost = memory.ofSandboxes().entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, sandbox -> sandbox.getValue() / OpenFileTable.FILE_BYTES));
        return Takers.of(
                table.inUse(),
                table.max(),
                filesAtMost,
                (sandbox, files) -> "The machine has " + table.inUse() + " files open of " + table.max()
                        + " (fs.file-max), and this sandbox may hold most of them ("
                        + (memory.ofSandboxes().getOrDefault(sandbox, 0L) >> 20) + " MiB of kernel memory).");
    }
}
