package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.run.RunId;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/**
 * An agent that measures its network path to a host by its own clock: the time until a connection has delivered its
 * first byte, and the time of a large fetch. Uses a proxy if its environment has one.
 */
public final class NetworkProbe {
    private static final String PROGRAM =
            """
            import json, os, socket, sys, time, urllib.parse
            print(flush=True)
            host, connections, mebibytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
            proxy = urllib.parse.urlparse(os.environ['https_proxy']) if 'https_proxy' in os.environ else None
            def reach(port):
                if not proxy:
                    return socket.create_connection((host, port), 10), b''
                sock = socket.create_connection((proxy.hostname, proxy.port), 10)
                sock.sendall(f'CONNECT {host}:{port} HTTP/1.1\\r\\nHost: {host}:{port}\\r\\n\\r\\n'.encode())
                said = b''
                while b'\\r\\n\\r\\n' not in said:
                    part = sock.recv(4096)
                    if not part:
                        sys.exit(f'the proxy said {said}')
                    said += part
                head, rest = said.split(b'\\r\\n\\r\\n', 1)
                if b' 200 ' not in head:
                    sys.exit(f'the proxy said {said}')
                return sock, rest
            def first_byte():
                began = time.perf_counter_ns()
                sock, rest = reach(8080)
                if not rest and not sock.recv(16):
                    sys.exit('the host said nothing')
                took = time.perf_counter_ns() - began
                sock.close()
                return took
            def fetch(count):
                buffer = bytearray(1 << 18)
                sock, rest = reach(9000)
                left = count - len(rest)
                while left > 0:
                    got = sock.recv_into(buffer, min(len(buffer), left))
                    if not got:
                        sys.exit('the host ended early')
                    left -= got
                sock.close()
            fetch(1 << 20)
            times = sorted(first_byte() for _ in range(connections))
            began = time.perf_counter_ns()
            fetch(mebibytes << 20)
            print(json.dumps({'connection': times[len(times) // 2], 'fetch': time.perf_counter_ns() - began}))
            """;

    private final String image;
    private final String host;
    private final int connections;
    private final int mebibytes;

    /**
     * The costs of one path.
     *
     * @param start from the POST, or from the start of the client, to the first byte that the agent printed
     * @param connection until a connection has delivered its first byte, the median
     * @param fetch for all of the bytes
     */
    public record Costs(Duration start, Duration connection, Duration fetch) {}

    /**
     * A probe.
     *
     * @param image one with Python
     * @param host the host's address: it greets on port 8080, and sends zeros on 9000
     * @param connections how many are opened, in sequence
     * @param mebibytes how much is fetched
     */
    public NetworkProbe(String image, String host, int connections, int mebibytes) {
        this.image = image;
        this.host = host;
        this.connections = connections;
        this.mebibytes = mebibytes;
    }

    private List<String> command() {
        return List.of("python3", "-c", PROGRAM, host, Integer.toString(connections), Integer.toString(mebibytes));
    }

    /** In a sandbox with this egress policy. */
    public Costs inSandbox(VivariumApi api, ObjectNode egress) throws IOException {
        ObjectNode submission = new Workload(image, command()).submission();
        submission.set("egress", egress);
        submission.withObject("/limits").put("egressRequests", 100_000).put("egressBytes", "100Gi");
        long began = System.nanoTime();
        RunId run = api.submit(submission);
        try (InputStream output = api.followOutput(run)) {
            Costs costs = read(output, began);
            String end = api.awaitEnd(run);
            if (!end.equals("SUCCEEDED")) {
                throw new IOException("Run " + run + " is " + end + ".");
            }
            return costs;
        }
    }

    /** In an unfiltered container on the engine's bridge, with the same share of processors. */
    public Costs inContainer() throws IOException {
        Workload workload = new Workload(image, command());
        List<String> line = workload.dockerRun("bridge", "--cpus", "1", "--dns", "127.0.0.1");
        long began = System.nanoTime();
        Process process = new ProcessBuilder(line).start();
        try (InputStream output = process.getInputStream()) {
            Costs costs = read(output, began);
            if (process.waitFor() != 0) {
                throw new IOException(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
            }
            return costs;
        } catch (InterruptedException interrupted) {
            process.destroy();
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    private static Costs read(InputStream output, long began) throws IOException {
        int first = output.read();
        Duration start = Duration.ofNanos(System.nanoTime() - began);
        ByteArrayOutputStream rest = new ByteArrayOutputStream();
        output.transferTo(rest);
        if (first < 0 || rest.size() == 0) {
            throw new IOException("The probe did not say what its way costs.");
        }
        JsonNode said = ApiJson.parse(rest.toByteArray());
        return new Costs(
                start,
                Duration.ofNanos(said.path("connection").asLong()),
                Duration.ofNanos(said.path("fetch").asLong()));
    }
}
