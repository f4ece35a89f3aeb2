package dev.vivarium.node.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vivarium.protocol.guest.FrameDecoder;
import dev.vivarium.protocol.guest.GuestCodec;
import dev.vivarium.protocol.guest.GuestFrame;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;

/**
 * A real guest in separate namespaces, seen from the node's side of its channel. Frames are awaited in any order; each is
 * returned once.
 */
final class TestGuest implements AutoCloseable {
    /** The uid and gid that agents have in these tests. */
    static final int AGENT = 65534;

    private static final Duration LONG_ENOUGH = Duration.ofSeconds(20);

    private final Process process;
    private final WritableByteChannel toGuest;
    private final List<GuestFrame> unseen = new ArrayList<>();
    private final ByteArrayOutputStream[] outputs = new ByteArrayOutputStream[256];
    private boolean ended;

    private TestGuest(Process process) {
        this.process = process;
        this.toGuest = Channels.newChannel(process.getOutputStream());
    }

    /** A guest that has said hello. */
    static TestGuest start() {
        return start("8m");
    }

    /** A guest with this much room, in tmpfs notation, in each of /workspace and /tmp. */
    static TestGuest start(String diskSize) {
        TestGuest guest = startUnread(diskSize);
        guest.read();
        assertThat(guest.await(GuestFrame.Hello.class).protocolVersion()).isEqualTo(GuestCodec.PROTOCOL_VERSION);
        return guest;
    }

    /** A guest whose frames are not read before {@link #read}. */
    static TestGuest startUnread(String diskSize) {
        assumeTrue(
                "root".equals(System.getProperty("user.name")),
                "A guest needs namespaces, which only root can create.");
        return new TestGuest(launch(List.of(
                "unshare",
                "--pid",
                "--fork",
                "--mount",
                "--ipc",
                "--kill-child",
                "sh",
                resource("/guest/sandbox.sh").toString(),
                resource("/guest/vivarium-init").toString(),
                diskSize)));
    }

    static Process launch(List<String> command) {
        try {
            return new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    static Path resource(String name) {
        try {
            return Path.of(TestGuest.class.getResource(name).toURI());
        } catch (URISyntaxException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** A request for a process that runs the script, with sufficient credit. */
    static NodeFrame.Spawn sh(int process, String script) {
        return new SpawnBuilder(process, "sh", "-c", script).build();
    }

    void read() {
        Thread reader = new Thread(this::readToTheEnd, "guest-reader");
        reader.setDaemon(true);
        reader.start();
    }

    private void readToTheEnd() {
        FrameDecoder<GuestFrame> decoder = GuestCodec.guestFrames();
        byte[] chunk = new byte[8192];
        try (InputStream in = process.getInputStream()) {
            for (int count = in.read(chunk); count > 0; count = in.read(chunk)) {
                decoder.decode(ByteBuffer.wrap(chunk, 0, count), this::take);
            }
        } catch (IOException closed) {
            // same as the end of the stream
        }
        synchronized (this) {
            ended = true;
        }
    }

    private synchronized void take(GuestFrame frame) {
        if (frame instanceof GuestFrame.Output output) {
            bytes(output.process(), output.stream()).writeBytes(output.data().toByteArray());
        } else {
            unseen.add(frame);
        }
    }

    private ByteArrayOutputStream bytes(int process, Stream stream) {
        int index = 2 * process + (stream == Stream.STDOUT ? 0 : 1);
        if (outputs[index] == null) {
            outputs[index] = new ByteArrayOutputStream();
        }
        return outputs[index];
    }

    TestGuest send(NodeFrame... frames) {
        for (NodeFrame frame : frames) {
            sendRaw(GuestCodec.encode(frame));
        }
        return this;
    }

    /** Sends arbitrary bytes; ignores failures, since the guest may have ended. */
    void sendRaw(ByteBuffer bytes) {
        try {
            toGuest.write(bytes);
            process.getOutputStream().flush();
        } catch (IOException gone) {
            assertThat(exitCode()).isNotZero();
        }
    }

    /** The next frame of the type. */
    <F extends GuestFrame> F await(Class<F> type) {
        return await(type, frame -> true);
    }

    <F extends GuestFrame> F await(Class<F> type, Predicate<F> which) {
        CompletableFuture<F> found = new CompletableFuture<>();
        waiting("a frame " + type.getSimpleName()).until(() -> {
            give(type, which).ifPresent(found::complete);
            assertThat(found.isDone() || !hasEnded())
                    .as("the channel is open, or had a %s frame", type.getSimpleName())
                    .isTrue();
            return found.isDone();
        });
        return found.join();
    }

    synchronized <F extends GuestFrame> Optional<F> give(Class<F> type, Predicate<F> which) {
        for (GuestFrame frame : unseen) {
            if (type.isInstance(frame) && which.test(type.cast(frame))) {
                unseen.remove(frame);
                return Optional.of(type.cast(frame));
            }
        }
        return Optional.empty();
    }

    private synchronized boolean hasEnded() {
        return ended;
    }

    GuestFrame.Exited awaitExit(int id) {
        return await(GuestFrame.Exited.class, frame -> frame.process() == id);
    }

    /** Everything that the process wrote to its stdout, once that is closed. */
    String stdoutOf(int id) {
        await(GuestFrame.OutputClosed.class, frame -> frame.process() == id && frame.stream() == Stream.STDOUT);
        return text(id, Stream.STDOUT);
    }

    /** Runs the script to its end and returns its output. */
    String run(int id, String script) {
        send(sh(id, script));
        String printed = stdoutOf(id);
        awaitExit(id);
        return printed.strip();
    }

    String text(int id, Stream stream) {
        return new String(output(id, stream), StandardCharsets.UTF_8);
    }

    synchronized byte[] output(int id, Stream stream) {
        return bytes(id, stream).toByteArray();
    }

    void awaitText(int id, String expected) {
        waiting("the output " + expected).until(() -> text(id, Stream.STDOUT).contains(expected));
    }

    void awaitOutputBytes(int id, int count) {
        waiting(count + " bytes of output").until(() -> output(id, Stream.STDOUT).length >= count);
    }

    static ConditionFactory waiting(String what) {
        return Awaitility.await(what)
                .atMost(LONG_ENOUGH)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(2));
    }

    void closeInput() {
        try {
            toGuest.close();
        } catch (IOException gone) {
            // closed by the other end
        }
    }

    void closeOutput() throws IOException {
        process.getInputStream().close();
    }

    int exitCode() {
        try {
            assertThat(process.waitFor(LONG_ENOUGH.toSeconds(), TimeUnit.SECONDS))
                    .as("the guest has ended")
                    .isTrue();
            return process.exitValue();
        } catch (InterruptedException interrupted) {
            throw new AssertionError(interrupted);
        }
    }

    /** Processes in the guest's namespaces, as the host sees them; the guest is one of them. */
    List<ProcessHandle> processes() {
        return process.toHandle().descendants().toList();
    }

    /** Whether a process of the program exists, and it and all others are asleep. */
    boolean isAsleepWith(String program) {
        List<ProcessHandle> all = processes();
        return all.stream().anyMatch(one -> one.info().command().orElse("").endsWith("/" + program))
                && all.stream().allMatch(TestGuest::isAsleep);
    }

    private static boolean isAsleep(ProcessHandle process) {
        try {
            String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'S';
        } catch (IOException gone) {
            return false;
        }
    }

    private Path procFolder() {
        return Path.of("/proc/"
                + process.toHandle().children().findFirst().orElseThrow().pid());
    }

    /** Whether the text is anywhere in the guest's writable memory. */
    boolean remembers(String text) throws IOException {
        try (RandomAccessFile memory =
                new RandomAccessFile(procFolder().resolve("mem").toFile(), "r")) {
            for (String mapping : Files.readAllLines(procFolder().resolve("maps"))) {
                String[] fields = mapping.split("[- ]", 4);
                if (!fields[2].startsWith("rw")) {
                    continue;
                }
                long start = Long.parseLong(fields[0], 16);
                byte[] content = new byte[Math.toIntExact(Long.parseLong(fields[1], 16) - start)];
                memory.seek(start);
                memory.readFully(content);
                if (new String(content, StandardCharsets.ISO_8859_1).contains(text)) {
                    return true;
                }
            }
            return false;
        }
    }

    /** The guest's resident memory now. */
    long residentBytes() throws IOException {
        String line = Files.readAllLines(procFolder().resolve("status")).stream()
                .filter(candidate -> candidate.startsWith("VmRSS"))
                .findFirst()
                .orElseThrow();
        return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
    }

    @Override
    public void close() {
        process.toHandle().descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
