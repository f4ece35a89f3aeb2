package dev.vivarium.node.kernel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The machine's open files, which the kernel counts against one number for all users but root.
 *
 * @param inUse how many are open
 * @param max how many may be (fs.file-max)
 */
public record OpenFileTable(long inUse, long max) {
    /** What an open file takes at least of the memory that is charged to its sandbox: the kernel's struct file. */
    public static final long FILE_BYTES = 192;

    private static final int READ_BYTES_MAX = 4096;
    private static final Pattern LINE = Pattern.compile("^([0-9]{1,19})\\s+[0-9]{1,19}\\s+([0-9]{1,19})\\s*$");

    /** As a machine's proc file system has it; empty where that cannot be read. */
    public static Optional<OpenFileTable> of(Path proc) {
        try {
            Matcher line = LINE.matcher(KernelText.read(proc.resolve("sys/fs/file-nr"), READ_BYTES_MAX));
            return line.matches()
                    ? Optional.of(new OpenFileTable(Long.parseLong(line.group(1)), Long.parseLong(line.group(2))))
                    : Optional.empty();
        } catch (IOException | NumberFormatException unreadable) {
            return Optional.empty();
        }
    }

    /** Whether the number is reached before so much memory is used up by open files. */
    public boolean isBoundFor(long memoryBytes) {
        return max < memoryBytes / FILE_BYTES;
    }

    /** How many more may be opened. */
    public long left() {
        return Math.max(0, max - inUse);
    }

    /** Whether less than a quarter is left. */
    public boolean isScarce() {
        return left() < max / 4;
    }
}
