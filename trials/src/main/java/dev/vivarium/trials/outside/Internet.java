package dev.vivarium.trials.outside;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.egress.Ipv4Block;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.NetworkInterface;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Hosts of every kind in a network namespace of this machine: internal ones, the cloud's metadata service, one in the public
 * internet, and a resolver. They greet every visitor and record all visits. No packet for one of their addresses can leave
 * this machine. The program {@code outside/hosts.py} creates them, and removes them when this closes or dies. Needs root.
 */
public final class Internet implements AutoCloseable {
    /** Stands for the internet. */
    public static final String PUBLIC = "45.77.77.10";

    /** A name that the resolver resolves to it. */
    public static final String NAME = "www.vivarium.example.com";

    /** The resolver of the suite's names. */
    public static final String RESOLVER = "45.77.77.53";

    /** Another one in the internet, which speaks TLS and counts credentials. Built into the program. */
    public static final String SECURE = "45.77.77.43";

    public static final String INTERNAL = "192.168.77.10";
    public static final String METADATA = "169.254.169.254";

    /** One address in each internal range. */
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
            "168.63.129.16",
            "34.118.224.10",
            "198.51.100.10",
            "203.0.113.10",
            "198.19.255.10",
            "240.0.0.10");

    /** The text of packets that must not arrive anywhere. */
    static final String TRESPASS = "trespass";

    private static final Duration START_MAX = Duration.ofSeconds(20);
    private static final Duration END_MAX = Duration.ofSeconds(20);
    /** The range of sandboxes' links: the node's own addresses in it are for sandboxes. */
    private static final Ipv4Block LINKS = Ipv4Block.parse("198.18.0.0/15");

    private static final String FOLDER = "outside";
    private static final String JSON = "application/json";

    private final Path folder;
    private final Process program;
    private final List<String> visits = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Boolean> listening = new CompletableFuture<>();
    private volatile int expected;

    private Internet(Path folder, Process program) {
        this.folder = folder;
        this.program = program;
        Thread reader = new Thread(this::readVisits, "outside");
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * Creates the hosts.
     *
     * @param payloads the folder of the payloads, {@code examples/abuse}
     * @param title distinguishes them from other tests' hosts; at most 8 letters
     * @throws IOException with a sentence for the user when they cannot be created
     */
    public static Internet begin(Path payloads, String title) throws IOException {
        Path folder = payloads.resolve(FOLDER).toAbsolutePath();
        List<String> command =
                new ArrayList<>(List.of("python3", folder.resolve("hosts.py").toString(), title, PUBLIC, RESOLVER));
        command.addAll(INTERNALS);
        Internet outside = new Internet(
                folder, new ProcessBuilder(command).redirectErrorStream(true).start());
        try {
            if (outside.listening.get(START_MAX.toSeconds(), TimeUnit.SECONDS)) {
                return outside;
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException silent) {
            outside.visits.add(String.valueOf(silent.getMessage()));
        }
        outside.close();
        throw new IOException(
                "The hosts that payloads try to reach cannot be created (as root, with python3 and iproute2): "
                        + String.join("; ", outside.visits()));
    }

    /** All visits so far: protocol, source, address and port, and the text received. */
    public List<String> visits() {
        return visits.stream().filter(visit -> !visit.equals("listening")).toList();
    }

    /** The program with which a container or a sandbox tries destinations. */
    public String probe() throws IOException {
        return Files.readString(folder.resolve("probe.py"));
    }

    /** Configuration of a node that lets these hosts stand for the internet. */
    public Map<String, String> nodeSettings() {
        return Map.of(
                "vivarium.egress.names.upstream.0", RESOLVER, "vivarium.egress.gateway.extra-authorities", authority());
    }

    /** The file with the certificate authority of the hosts that speak TLS. */
    public String authority() {
        return folder.resolve("tls").resolve("authority.pem").toString();
    }

    /** Environment variables of payloads: the hosts' addresses, and this machine's addresses other than loopback. */
    public Map<String, String> environment() throws IOException {
        return Map.of(
                "OUTSIDE_PUBLIC",
                PUBLIC,
                "OUTSIDE_INTERNAL",
                String.join(",", INTERNALS),
                "OUTSIDE_NODE",
                NetworkInterface.networkInterfaces()
                        .flatMap(NetworkInterface::inetAddresses)
                        .filter(Inet4Address.class::isInstance)
                        .filter(address -> !address.isLoopbackAddress())
                        .map(address -> address.getHostAddress())
                        .filter(address -> !LINKS.contains(Ipv4Block.parse(address + "/32")))
                        .distinct()
                        .collect(Collectors.joining(",")));
    }

    /**
     * Checks that an unfiltered container reaches every host. Later visits to internal hosts are trespasses.
     *
     * @throws IOException naming those that were not reached
     */
    public void requireReachable(EngineSocket engine, String image) throws IOException {
        List<String> places = Stream.concat(Stream.of(PUBLIC), INTERNALS.stream())
                .flatMap(address -> Stream.of("tcp:" + address + ":80", "udp:" + address + ":123"))
                .toList();
        ObjectNode body = ApiJson.object().put("Image", image).put("Tty", true);
        var command = body.putArray("Cmd").add("python3").add("-c").add(probe());
        places.forEach(command::add);
        byte[] created = engine.send("POST", "/containers/create", List.of(), JSON, ApiJson.bytes(body));
        String path = "/containers/" + ApiJson.parse(created).path("Id").asText();
        try {
            engine.send("POST", path + "/start", List.of(), JSON, new byte[0]);
            engine.send("POST", path + "/wait", List.of(), JSON, new byte[0]);
            byte[] said = engine.send("GET", path + "/logs", List.of(Map.entry("stdout", "true")), JSON, new byte[0]);
            List<String> reached =
                    new String(said, StandardCharsets.UTF_8).lines().toList();
            List<String> missing = places.stream()
                    .filter(place -> !reached.contains(place + " reached"))
                    .toList();
            if (!missing.isEmpty()) {
                throw new IOException("An unfiltered container does not reach " + String.join(", ", missing)
                        + ", so that nothing would be proven: does this machine forward packets of containers?");
            }
        } finally {
            engine.send("DELETE", path, List.of(Map.entry("force", "true")), JSON, new byte[0]);
        }
        expected = visits().size();
    }

    /** Visits to internal hosts since {@link #requireReachable}. */
    public List<String> trespasses() {
        return visits().stream().skip(expected).filter(Internet::isTrespass).toList();
    }

    private static boolean isTrespass(String visit) {
        String[] words = visit.split(" ", 4);
        boolean came = words[0].equals("tcp") || words[0].equals("udp");
        return visit.toLowerCase(Locale.ROOT).contains(TRESPASS)
                || (came && words.length > 2 && INTERNALS.contains(words[2]));
    }

    private void readVisits() {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(program.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                visits.add(line);
                if (line.equals("listening")) {
                    listening.complete(true);
                }
            }
        } catch (IOException | UncheckedIOException broken) {
            visits.add("the hosts' output has ended unexpectedly");
        }
        listening.complete(false);
    }

    /** Waits until everything has been removed. */
    @Override
    public void close() throws IOException {
        program.getOutputStream().close();
        try {
            if (!program.waitFor(END_MAX.toSeconds(), TimeUnit.SECONDS)) {
                program.destroy();
            }
        } catch (InterruptedException interrupted) {
            program.destroy();
            Thread.currentThread().interrupt();
        }
    }
}
