package dev.vivarium.node.driver.linux;

import dev.vivarium.node.clock.NodeClock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;

/** This machine's unreclaimable slab memory, read once for all callers within a short time. Thread-safe. */
public final class KernelSlab {
    private static final Pattern UNRECLAIMABLE = KernelMemoryFiles.line("SUnreclaim");
    private static final long FRESH_NANOS = Duration.ofMillis(50).toNanos();

    private final Path meminfo;
    private final LongSupplier nanos;
    private long bytes;
    private long readNanos;
    private boolean read;

    /** For this machine. */
    public KernelSlab(NodeClock clock) {
        this(Path.of("/proc/meminfo"), clock::nanos);
    }

    KernelSlab(Path meminfo, LongSupplier nanos) {
        this.meminfo = meminfo;
        this.nanos = nanos;
    }

    /** In bytes; zero where it cannot be read. */
    synchronized long bytes() {
        long now = nanos.getAsLong();
        if (!read || now - readNanos > FRESH_NANOS) {
            try {
                String text = Files.readString(meminfo, StandardCharsets.US_ASCII);
                bytes = KernelMemoryFiles.bytes(text, UNRECLAIMABLE);
            } catch (IOException untold) {
                bytes = 0;
            }
            readNanos = now;
            read = true;
        }
        return bytes;
    }
}
