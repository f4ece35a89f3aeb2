package dev.vivarium.node.kernel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The size of a page, in which the kernel counts some of its memory. */
public final class PageSize {
    private static final int READ_BYTES_MAX = 4096;
    private static final Pattern LINE = Pattern.compile("(?m)^KernelPageSize: +([0-9]{1,9}) kB$");
    private static final long USUAL_BYTES = 4096;

    private PageSize() {}

    /** In bytes, as a machine's proc file system has it. */
    public static long bytes(Path proc) throws IOException {
        Matcher line = LINE.matcher(KernelText.read(proc.resolve("self/smaps"), READ_BYTES_MAX));
        return line.find() ? Long.parseLong(line.group(1)) << 10 : USUAL_BYTES;
    }
}
