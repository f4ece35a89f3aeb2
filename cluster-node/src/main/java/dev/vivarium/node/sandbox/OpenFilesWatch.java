package dev.vivarium.node.sandbox;

import dev.vivarium.node.driver.KernelMemory;
import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.node.kernel.OpenFileTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Decides which sandboxes to kill before the machine's table of open files is full. Pure.
 *
 * <p>A process's limit bounds its descriptors, not its files: mapped files, and files in messages, stay open without a
 * descriptor. But the kernel charges each open file to its sandbox, so the charged memory gives an upper bound of a
 * sandbox's open files. When the table is scarce, the sandboxes with the highest bounds are killed until half of it would be
 * free. If sandboxes hold at least half of the open files, at least one holds the average of that half; those that cannot
 * hold as many are spared, so that none is killed for open files of the rest of the machine.
 */
final class OpenFilesWatch {
    private OpenFilesWatch() {}

    /** The sandboxes to kill, those with the highest bounds first. */
    static List<SandboxId> takers(OpenFileTable table, KernelMemory memory) {
        if (!table.isScarce() || memory.ofSandboxes().isEmpty()) {
            return List.of();
        }
        long least = table.inUse() / 2 / memory.ofSandboxes().size();
        List<Map.Entry<SandboxId, Long>> largest = memory.ofSandboxes().entrySet().stream()
                .filter(sandbox -> filesAtMost(sandbox.getValue()) >= least)
                .sorted(Map.Entry.<SandboxId, Long>comparingByValue().reversed())
                .toList();
        List<SandboxId> takers = new ArrayList<>();
        long left = table.inUse();
        for (Map.Entry<SandboxId, Long> sandbox : largest) {
            if (left > table.max() / 2) {
                takers.add(sandbox.getKey());
                left -= filesAtMost(sandbox.getValue());
            }
        }
        return List.copyOf(takers);
    }

    private static long filesAtMost(long chargedBytes) {
        return chargedBytes / OpenFileTable.FILE_BYTES;
    }
}
