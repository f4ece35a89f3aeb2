package dev.vivarium.loadtests.subject;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * The OCI runtime that a node of the driver oci uses, called directly: neither engine nor node, no guest, and nothing is
 * stored. A shell in a mount namespace of its own starts it, with the root mounted once: crun refuses a machine on which both
 * versions of control groups are visible.
 */
public final class FirstByteOfRuntime implements FirstByte, Closeable {
    private static final String SCRIPT =
            """
            set -e
            if grep -q ' cgroup r' /proc/mounts; then
              awk '$3 == "cgroup2" { print $2 }' /proc/mounts | while read -r point; do umount -l "$point"; done
            fi
            mount -t overlay -o "ro,nosuid,nodev,lowerdir=$2" overlay "$3/root"
            set +e
            while read -r id; do
              "$1" --root "$3/state" run --bundle "$3" "$id" </dev/null
              echo "exit $?" >&2
            done
            """;

    private static final String CLEAN_END = "exit 0";

    private final Path folder;
    private final Process shell;
    private final Writer requests;
    private final BufferedReader remarks;
    private int count;

    /**
     * Prepares it.
     *
     * @param node the process of the node, whose sandboxes it imitates
     */
    public FirstByteOfRuntime(VivariumApi api, long node, Workload workload) throws IOException {
        this.folder = Files.createTempDirectory("vivarium-runtime-");
        RuntimeBundle bundle = RuntimeBundle.like(
                api,
                node,
                workload,
                folder,
                "/vivarium-bench-" + ProcessHandle.current().pid());
        this.shell = new ProcessBuilder(
                        "unshare",
                        "--mount",
                        "sh",
                        "-c",
                        SCRIPT,
                        "sh",
                        bundle.runtime().toString(),
                        bundle.lower(),
                        folder.toString())
                .start();
        this.requests = shell.outputWriter(StandardCharsets.UTF_8);
        this.remarks = shell.errorReader(StandardCharsets.UTF_8);
    }

    @Override
    public Duration once() throws IOException {
        count++;
        InputStream output = shell.getInputStream();
        long began = System.nanoTime();
        requests.write("bench-" + ProcessHandle.current().pid() + "-" + count + "\n");
        requests.flush();
        int first = output.read();
        long took = System.nanoTime() - began;
        String end = remarks.readLine();
        if (first < 0 || !CLEAN_END.equals(end)) {
            throw new IOException("The runtime ended with: " + end);
        }
        output.skipNBytes(output.available());
        return Duration.ofNanos(took);
    }

    @Override
    public void close() throws IOException {
        requests.close();
        try {
            shell.waitFor();
        } catch (InterruptedException interrupted) {
            shell.destroy();
            Thread.currentThread().interrupt();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) {
                Files.delete(file);
            }
        }
    }
}
