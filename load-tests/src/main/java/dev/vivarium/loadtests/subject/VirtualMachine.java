package dev.vivarium.loadtests.subject;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Facts about a running JVM, from the JDK's own tool. */
public final class VirtualMachine {
    private VirtualMachine() {}

    /** Bytes of heap in use after a collection, which this triggers. */
    public static long heapInUse(long pid) throws IOException {
        String jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd").toString();
        Process process = new ProcessBuilder(jcmd, Long.toString(pid), "GC.class_histogram")
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException("jcmd cannot look at process " + pid + ": " + said.strip());
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
        return total(said);
    }

    /** The last line is "Total", instances, bytes. */
    static long total(String histogram) throws IOException {
        return histogram
                .lines()
                .filter(line -> line.startsWith("Total"))
                .map(line -> Long.parseLong(line.split("\\s+", -1)[2]))
                .findFirst()
                .orElseThrow(() -> new IOException("jcmd tells no total: " + histogram.strip()));
    }
}
