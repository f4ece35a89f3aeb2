package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.loadtests.report.Series;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What an agent, or the node's store, waits for one operation, and agents beside it that take what they can get. */
public final class NeighbourProbe {
    /** Reads single blocks of an image's file past the page cache, with pauses, and says how long each took. */
    private static final String READER =
            """
            import json, mmap, os, random, sys, time
            disk = os.open('/proc/self/exe', os.O_RDONLY | os.O_DIRECT)
            blocks, buffer, times = os.fstat(disk).st_size // 4096, mmap.mmap(-1, 4096), []
            for _ in range(int(sys.argv[1])):
                began = time.perf_counter_ns()
                os.preadv(disk, [buffer], random.randrange(blocks) * 4096)
                times.append(time.perf_counter_ns() - began)
                time.sleep(0.005)
            print(json.dumps(times))
            """;

    /** Connects, with pauses, and says how long it took until the first byte came. */
    private static final String CALLER =
            """
            import json, socket, sys, time
            times = []
            for _ in range(int(sys.argv[1])):
                began = time.perf_counter_ns()
                try:
                    with socket.create_connection((sys.argv[2], 8080), 10) as link:
                        link.recv(16)
                except OSError:
                    pass  # one that came to nothing has taken that long too
                times.append(time.perf_counter_ns() - began)
                time.sleep(0.005)
            print(json.dumps(times))
            """;

    /** Reads with four threads, as large as it can, and has the disk flushed with two. */
    private static final String DISK_HOG =
            """
            import mmap, os, random, threading
            def read():
                disk, buffer = os.open('/proc/self/exe', os.O_RDONLY | os.O_DIRECT), mmap.mmap(-1, 1 << 20)
                pieces = max(1, os.fstat(disk).st_size >> 20)
                while True:
                    os.preadv(disk, [buffer], random.randrange(pieces) << 20)
            def flush():
                file = os.open('/etc/hosts', os.O_RDONLY)
                while True:
                    os.fsync(file)
            work = [threading.Thread(target=each) for each in (read, read, read, read, flush, flush)]
            [thread.start() for thread in work]
            print('begun', flush=True)
            """;

    /** Fetches without end, and sends small datagrams as fast as it can. */
    private static final String NETWORK_HOG =
            """
            import socket, sys, threading
            def fetch():
                while True:
                    with socket.create_connection((sys.argv[1], 9000), 10) as link:
                        while link.recv(1 << 18):
                            pass
            def flood():
                link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                while True:
                    try:
                        link.sendto(b'x', (sys.argv[1], 5353))
                    except OSError:
                        pass
            work = [threading.Thread(target=each) for each in (fetch, flood)]
            [thread.start() for thread in work]
            print('begun', flush=True)
            """;

    private static final long SUBMISSION_PAUSE_MILLIS = 20;
    /** Longer than a round takes, on a slow machine too. */
    private static final String WALL_CLOCK = "30m";

    private final VivariumApi api;
    private final String image;

    /** @param image an image with Python */
    public NeighbourProbe(VivariumApi api, String image) {
        this.api = api;
        this.image = image;
    }

    /** What a quiet agent waits for each of its reads from the disk. */
    public Series reads(int count) throws IOException {
        return times(submission(READER, Integer.toString(count)));
    }

    /** What a quiet agent waits for each of its connections to a host. */
    public Series connections(int count, String host) throws IOException {
        ObjectNode submission = submission(CALLER, Integer.toString(count), host);
        submission.set("egress", Workload.egress("public"));
        submission.withObject("/limits").put("egressRequests", 100_000);
        return times(submission);
    }

    /** What clients wait until the store has each of their submissions on the disk. */
    public Series submissions(int count) throws IOException {
        List<Duration> times = new ArrayList<>();
        // Of an image that is not there: written like all others, and no sandbox follows.
        Workload none = new Workload("vivarium-bench/none", List.of("true"));
        for (int each = 0; each < count; each++) {
            long began = System.nanoTime();
            RunId run = api.submit(none);
            times.add(Duration.ofNanos(System.nanoTime() - began));
            api.awaitEnd(run);
            rest();
        }
        return new Series(times);
    }

    private static void rest() throws IOException {
        try {
            Thread.sleep(SUBMISSION_PAUSE_MILLIS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", interrupted);
        }
    }

    /** An agent that takes what it can get until this closes. */
    public interface Hog extends AutoCloseable {
        @Override
        void close() throws IOException;
    }

    /**
     * Starts one that takes the disk.
     *
     * @param cpu its share of processors, small enough that they are not what it takes
     */
    public Hog diskHog(String cpu) throws IOException {
        return hog(submission(DISK_HOG), cpu);
    }

    /** Starts one that takes the network. */
    public Hog networkHog(String cpu, String host) throws IOException {
        ObjectNode submission = submission(NETWORK_HOG, host);
        submission.set("egress", Workload.egress("public"));
        submission.withObject("/limits").put("egressRequests", 100_000).put("egressBytes", "1Ti");
        return hog(submission, cpu);
    }

    private Hog hog(ObjectNode submission, String cpu) throws IOException {
        submission.withObject("/limits").put("cpu", cpu);
        RunId run = api.submit(submission);
        try (InputStream output = api.followOutput(run)) {
            if (output.read() < 0) {
                throw new IOException("The agent that was to take all ended before it began.");
            }
        }
        return () -> {
            api.cancel(run);
            api.awaitEnd(run);
        };
    }

    private ObjectNode submission(String program, String... arguments) {
        List<String> command = new ArrayList<>(List.of("python3", "-c", program));
        command.addAll(List.of(arguments));
        ObjectNode submission = new Workload(image, command).submission();
        submission.withObject("/limits").put("wallClock", WALL_CLOCK).put("cpuTime", WALL_CLOCK);
        return submission;
    }

    private Series times(ObjectNode submission) throws IOException {
        RunId run = api.submit(submission);
        try (InputStream output = api.followOutput(run)) {
            byte[] said = output.readAllBytes();
            String end = api.awaitEnd(run);
            if (!end.equals("SUCCEEDED")) {
                throw new IOException("Run " + run + " is " + end + ".");
            }
            List<Duration> times = new ArrayList<>();
            for (JsonNode each : ApiJson.parse(said)) {
                times.add(Duration.ofNanos(each.asLong()));
            }
            return new Series(times);
        }
    }
}
