package dev.vivarium.node.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;

/**
 * Hosts of every kind in a network namespace of the test's own: an internal one, the cloud's metadata service, one in the
 * open internet, and so on, which greet whoever reaches them and remember who came. No packet for one of their addresses
 * can leave this machine: each has an unreachable route behind the one that leads here.
 */
public final class TestHosts implements AutoCloseable {
    /** Stands for the internet. */
    public static final String PUBLIC = "45.77.77.10";

    public static final String INTERNAL = "192.168.77.10";
    public static final String METADATA = "169.254.169.254";

    /** One in each range that is internal everywhere. */
    public static final List<String> INTERNALS = List.of(
            INTERNAL,
            METADATA,
            "10.77.0.10",
            "172.16.77.10",
            "172.31.255.10",
            "100.64.77.10",
            "100.127.255.10",
            "192.0.0.10",
            "192.0.2.10",
            "192.88.99.10",
            "198.51.100.10",
            "203.0.113.10",
            "198.19.255.10",
            "240.0.0.10");

    private static final String NODE_END = "10.99.77.1";
    private static final String PREFERRED_LAST = "4278198272";

    private final String name;
    private final String link;
    private final List<String> addresses = new ArrayList<>(INTERNALS);
    private final List<String> visits = new CopyOnWriteArrayList<>();
    private final Process server;

    /** @param suffix tells the hosts of one test from those of another; at most 8 letters */
    public TestHosts(String suffix) throws IOException {
        assumeThat(System.getProperty("user.name")).isEqualTo("root");
        name = "vtest" + suffix;
        link = "vt" + suffix;
        addresses.add(PUBLIC);
        shell("ip netns delete " + name + " 2>/dev/null; true");
        for (String address : addresses) {
            shell("ip route replace unreachable " + address + "/32 metric " + PREFERRED_LAST);
        }
        shell("ip netns add " + name);
        shell("ip link add " + link + " type veth peer name eth0 netns " + name);
        shell("ip addr add " + NODE_END + "/32 dev " + link + " && ip link set " + link + " up");
        inside("ip link set lo up && ip link set eth0 up && ip route add " + NODE_END
                + "/32 dev eth0 scope link && ip route add default via " + NODE_END + " dev eth0");
        for (String address : addresses) {
            inside("ip addr add " + address + "/32 dev eth0");
            shell("ip route replace " + address + "/32 dev " + link + " scope link");
        }
        List<String> command =
                new ArrayList<>(List.of("ip", "netns", "exec", name, "python3", "-u", "-c", program("host.py")));
        command.addAll(addresses);
        server = new ProcessBuilder(command).redirectErrorStream(true).start();
        Thread reader = new Thread(this::readVisits, "test-hosts");
        reader.setDaemon(true);
        reader.start();
        Awaitility.await().until(() -> visits.contains("listening"));
    }

    /** The program by which a sandbox tries to reach places. */
    public static String probe() {
        return program("probe.py");
    }

    /** Who came since the beginning: protocol, source, port, and what was said. */
    public List<String> visits() {
        return List.copyOf(visits);
    }

    /** Runs a command on this machine; fails with what it printed. */
    public static String shell(String command) {
        try {
            Process process = new ProcessBuilder("sh", "-c", command)
                    .redirectErrorStream(true)
                    .start();
            process.getOutputStream().close();
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as("%s: %s", command, printed).isZero();
            return printed;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new AssertionError(interrupted);
        }
    }

    private void inside(String command) {
        shell("ip netns exec " + name + " sh -c '" + command + "'");
    }

    private void readVisits() {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8))) {
            lines.lines().forEach(visits::add);
        } catch (IOException | UncheckedIOException ended) {
            visits.add("ended");
        }
    }

    private static String program(String file) {
        try (InputStream source = TestHosts.class.getResourceAsStream("/egress/" + file)) {
            return new String(source.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** The unreachable routes go last, when nobody is left who could send. */
    @Override
    public void close() {
        server.destroyForcibly();
        server.onExit().join();
        shell("ip netns delete " + name);
        Awaitility.await().until(() -> !Links.exists(link));
        for (String address : addresses) {
            shell("ip route delete unreachable " + address + "/32 metric " + PREFERRED_LAST);
        }
    }
}
