package dev.vivarium.persistence.embedded;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** A child JVM with a {@link WritingNode} in it, and what it has acknowledged so far. */
final class NodeProcess {
    private final Process process;
    private final CompletableFuture<Long> serverPid = new CompletableFuture<>();
    private final Map<String, Long> acknowledged = new ConcurrentHashMap<>();
    private final AtomicLong count = new AtomicLong();
    private final Thread reader;

    private NodeProcess(Process process) {
        this.process = process;
        this.reader = new Thread(this::read, "node-output");
        reader.setDaemon(true);
    }

    static NodeProcess start(Path data, int runs) throws IOException {
        NodeProcess node = new NodeProcess(new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        WritingNode.class.getName(),
                        data.toString(),
                        Integer.toString(runs))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start());
        node.reader.start();
        return node;
    }

    private void read() {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ", -1);
                if (words[0].equals("server")) {
                    serverPid.complete(Long.parseLong(words[1]));
                } else if (words[0].equals("ack") && words.length == 3) {
                    acknowledged.merge(words[1], Long.parseLong(words[2]), Math::max);
                    count.incrementAndGet();
                }
            }
        } catch (IOException ended) {
            // A killed process may end its output in the middle of a line.
        }
    }

    ProcessHandle server() {
        return ProcessHandle.of(serverPid.join()).orElseThrow();
    }

    long acknowledgements() {
        return count.get();
    }

    /** SIGKILL; returns everything that it had acknowledged, by run. */
    Map<String, Long> kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
        reader.join();
        return acknowledged;
    }
}
