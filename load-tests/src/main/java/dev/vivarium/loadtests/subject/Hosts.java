package dev.vivarium.loadtests.subject;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A host in a network namespace of this machine that stands for the internet, made by the abuse suite's program. Root only. */
public final class Hosts implements AutoCloseable {
    private static final String PUBLIC = "45.77.77.10";
    private static final String NAME = "www.vivarium.example.com";
    private static final String RESOLVER = "45.77.77.53";
    private static final String INTERNAL = "192.168.77.10";
    private static final long END_SECONDS_MAX = 20;

    private final Process program;

    private Hosts(Process program) {
        this.program = program;
    }

    /**
     * Makes it.
     *
     * @param root where the repository is
     */
    public static Hosts begin(Path root) throws IOException {
        Process program = new ProcessBuilder(
                        "python3",
                        root.resolve("examples/abuse/outside/hosts.py").toString(),
                        "bench",
                        PUBLIC,
                        RESOLVER,
                        INTERNAL)
                .redirectErrorStream(true)
                .start();
        Hosts hosts = new Hosts(program);
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(program.getInputStream(), StandardCharsets.UTF_8));
        StringBuilder said = new StringBuilder();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.equals("listening")) {
                Thread reader = new Thread(() -> lines.lines().forEach(visit -> {}), "hosts");
                reader.setDaemon(true);
                reader.start();
                return hosts;
            }
            said.append(line).append("; ");
        }
        hosts.close();
        throw new IOException("The host to measure with cannot be made (as root, with python3 and iproute2): " + said);
    }

    /** Where the host is. */
    public String address() {
        return PUBLIC;
    }

    /** A name that the resolver leads there. */
    public String name() {
        return NAME;
    }

    /** Where the resolver is. */
    public String resolver() {
        return RESOLVER;
    }

    @Override
    public void close() throws IOException {
        program.getOutputStream().close();
        try {
            if (!program.waitFor(END_SECONDS_MAX, TimeUnit.SECONDS)) {
                program.destroy();
            }
        } catch (InterruptedException interrupted) {
            program.destroy();
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }
}
