package dev.vivarium.node.cli.cluster;

import dev.vivarium.client.Credentials;
import dev.vivarium.node.cli.cluster.ClusterProblem.Kind;
import dev.vivarium.node.clock.NodeClock;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One process of a local cluster, detached from any terminal: it outlives the command that starts it. Its folder is on
 * its command line, so that no other process is ever taken for it, even if its pid is reused.
 */
public final class Member {
    private static final Duration POLL = Duration.ofMillis(50);
    private static final long LOG_BYTES_MAX = 8L << 20;
    private static final int LOG_TAIL_LINES = 20;
    private static final int LOG_TAIL_BYTES = 16 << 10;
    /** Meant for this program, and not for the servers that it starts. */
    private static final Set<String> NOT_PASSED_ON =
            Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", Credentials.VARIABLE);

    private static final Pattern STATE = Pattern.compile("\\d+ \\(.*\\) (\\S) .*", Pattern.DOTALL);

    private final String name;
    private final Path folder;
    private final NodeClock clock;

    /** The signals that can be sent to a process. */
    public enum Signal {
        KILL,
        TERM,
        STOP,
        CONT
    }

    Member(String name, Path folder, NodeClock clock) {
        this.name = name;
        this.folder = folder;
        this.clock = clock;
    }

    public String name() {
        return name;
    }

    public Path folder() {
        return folder;
    }

    public Path log() {
        return folder.resolve("log");
    }

    private Path pidFile() {
        return folder.resolve("pid");
    }

    /** The mark that its command line must contain. */
    private String mark() {
        return "-Dvivarium.member=" + folder;
    }

    /** The process, while it exists. */
    public Optional<ProcessHandle> process() {
        return written()
                .or(() -> ProcessHandle.allProcesses().filter(this::isMine).findFirst());
    }

    private Optional<ProcessHandle> written() {
        try {
            return ProcessHandle.of(Long.parseLong(Files.readString(pidFile()).strip()))
                    .filter(this::isMine);
        } catch (IOException | NumberFormatException none) {
            return Optional.empty();
        }
    }

    private boolean isMine(ProcessHandle process) {
        return Arrays.asList(read(process, "cmdline").split("\0", -1)).contains(mark());
    }

    private static String read(ProcessHandle process, String file) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(process.pid()), file), StandardCharsets.ISO_8859_1);
        } catch (IOException gone) {
            return "";
        }
    }

    /** Whether it is stopped by SIGSTOP. */
    public boolean isFrozen() {
        return process().filter(process -> state(process).equals("T")).isPresent();
    }

    /**
     * Starts it in a new session, so that neither Ctrl-C nor a closed terminal affects it.
     *
     * @param java the program
     * @param arguments all of its arguments, including its main class
     * @param environment variables that differ from those of this process
     */
    void start(Path java, List<String> arguments, Map<String, String> environment) throws IOException {
        Files.createDirectories(folder);
        makeRoom();
        List<String> command = new ArrayList<>(List.of("setsid", java.toString(), mark()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectInput(new File("/dev/null"))
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()));
        builder.environment().keySet().removeAll(NOT_PASSED_ON);
        builder.environment().putAll(environment);
        Path written = folder.resolve("pid.new");
        Files.writeString(written, builder.start().pid() + "\n");
        Files.move(written, pidFile(), StandardCopyOption.ATOMIC_MOVE);
    }

    private void makeRoom() throws IOException {
        if (Files.exists(log()) && Files.size(log()) > LOG_BYTES_MAX) {
            Files.move(log(), folder.resolve("log.old"), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** A dying process loses its command line before its last thread, and with it its ports, is gone. */
    private static boolean hasThreads(ProcessHandle process) {
        String[] threads =
                Path.of("/proc", Long.toString(process.pid()), "task").toFile().list();
        return threads != null && (threads.length > 1 || !state(process).equals("Z"));
    }

    private static String state(ProcessHandle process) {
        Matcher stat = STATE.matcher(read(process, "stat").strip());
        return stat.matches() ? stat.group(1) : "";
    }

    /** Sends a signal, if the process exists. */
    void signal(Signal signal) throws IOException, InterruptedException {
        Optional<ProcessHandle> process = process();
        if (process.isPresent()) {
            // The JDK knows two signals; every shell has the command built in.
            new ProcessBuilder(
                            "sh",
                            "-c",
                            "kill -s " + signal + " " + process.get().pid())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        }
    }

    /** Waits for its end, and returns whether it has ended. */
    boolean awaitEnd(Duration atMost) throws InterruptedException, IOException {
        return awaitEnd(process(), atMost);
    }

    /** Sends a signal that should end it, waits, and returns whether it has ended. */
    boolean end(Signal signal, Duration atMost) throws InterruptedException, IOException {
        Optional<ProcessHandle> process = process();
        signal(signal);
        return awaitEnd(process, atMost);
    }

    private boolean awaitEnd(Optional<ProcessHandle> process, Duration atMost)
            throws InterruptedException, IOException {
        long start = clock.nanos();
        while (process().isPresent() || process.filter(Member::hasThreads).isPresent()) {
            if (clock.nanos() - start > atMost.toNanos()) {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
        }
        Files.deleteIfExists(pidFile());
        return true;
    }

    /** A condition to wait for. */
    interface Condition {
        boolean holds() throws InterruptedException, IOException;
    }

    /** Waits until it is ready by this condition; on failure reports the end of its log. */
    void awaitReady(Condition ready, Duration atMost) throws ClusterProblem, InterruptedException, IOException {
        long start = clock.nanos();
        while (!ready.holds()) {
            if (process().isEmpty()) {
                throw new ClusterProblem(Kind.UNAVAILABLE, name + " has ended. The end of " + log() + ":", endOfLog());
            }
            if (clock.nanos() - start > atMost.toNanos()) {
                throw new ClusterProblem(
                        Kind.UNAVAILABLE,
                        name + " runs, and is not ready after " + atMost.toSeconds() + " s. The end of " + log() + ":",
                        endOfLog());
            }
            TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
        }
    }

    private List<String> endOfLog() throws IOException {
        byte[] said = Files.exists(log()) ? Files.readAllBytes(log()) : new byte[0];
        int from = Math.max(0, said.length - LOG_TAIL_BYTES);
        List<String> lines = new String(said, from, said.length - from, StandardCharsets.UTF_8)
                .lines()
                .toList();
        return lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size());
    }
}
