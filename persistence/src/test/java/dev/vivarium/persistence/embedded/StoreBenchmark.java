package dev.vivarium.persistence.embedded;

import com.typesafe.config.ConfigFactory;
import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.RunWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.SpawnProtocol;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * Measures the time to open the store, and the time of a durable event from command to acknowledgement through Pekko. Run
 * its main with the test class path; it prints a table. Not a test, since it asserts nothing.
 */
public final class StoreBenchmark {
    private static final int WARM_UP = 3_000;
    private static final int EVENTS = 4_000;

    private StoreBenchmark() {}

    public static void main(String[] arguments) throws IOException {
        Path directory = Files.createTempDirectory(Path.of("/tmp"), "vivarium-bench-");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
        try {
            open("first open", directory).close();
            EmbeddedStore crashed = open("second open", directory);
            crashed.close();
            try (EmbeddedStore store = open("third open", directory)) {
                write(store);
            }
        } finally {
            TestPostgres.delete(directory);
        }
    }

    private static EmbeddedStore open(String what, Path directory) {
        long start = System.nanoTime();
        EmbeddedStore store = EmbeddedStore.open(directory);
        System.out.printf(
                "%-14s %6d ms%n",
                what, Duration.ofNanos(System.nanoTime() - start).toMillis());
        return store;
    }

    private static void write(EmbeddedStore store) {
        ActorSystem<SpawnProtocol.Command> system = ActorSystem.create(
                SpawnProtocol.create(), "bench", store.journalConfig().withFallback(ConfigFactory.load()));
        int next = 1;
        measure(system, next, 8, WARM_UP, "warm-up");
        next += 8;
        for (int actors : new int[] {1, 16, 1, 16, 200}) {
            measure(system, next, actors, EVENTS, actors + " runs");
            next += actors;
        }
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
    }

    private static void measure(
            ActorSystem<SpawnProtocol.Command> system, int firstRun, int actors, int events, String what) {
        ConcurrentLinkedQueue<Long> nanos = new ConcurrentLinkedQueue<>();
        List<CompletableFuture<Void>> done = new ArrayList<>();
        List<ActorRef<RunWriter.Next>> writers = new ArrayList<>();
        for (int n = 0; n < actors; n++) {
            int run = firstRun + n;
            ActorRef<RunWriter.Next> writer = AskPattern.<SpawnProtocol.Command, ActorRef<RunWriter.Next>>ask(
                            system,
                            replyTo -> new SpawnProtocol.Spawn<>(
                                    RunWriter.of(Fixtures.run(run)), "run-" + run, Props.empty(), replyTo),
                            Duration.ofSeconds(10),
                            system.scheduler())
                    .toCompletableFuture()
                    .join();
            ask(system, writer).join();
            writers.add(writer);
        }
        long start = System.nanoTime();
        writers.forEach(writer -> done.add(repeat(system, writer, events / actors, nanos)));
        CompletableFuture.allOf(done.toArray(CompletableFuture[]::new)).join();
        report(what, nanos, System.nanoTime() - start);
    }

    private static CompletableFuture<Void> repeat(
            ActorSystem<?> system, ActorRef<RunWriter.Next> writer, int times, ConcurrentLinkedQueue<Long> nanos) {
        if (times == 0) {
            return CompletableFuture.completedFuture(null);
        }
        long start = System.nanoTime();
        return ask(system, writer).thenComposeAsync(seq -> {
            nanos.add(System.nanoTime() - start);
            return repeat(system, writer, times - 1, nanos);
        });
    }

    private static CompletableFuture<Long> ask(ActorSystem<?> system, ActorRef<RunWriter.Next> writer) {
        return AskPattern.<RunWriter.Next, Long>ask(
                        writer, RunWriter.Next::new, Duration.ofSeconds(20), system.scheduler())
                .toCompletableFuture();
    }

    private static void report(String what, ConcurrentLinkedQueue<Long> nanos, long elapsed) {
        long[] sorted = nanos.stream().mapToLong(Long::longValue).toArray();
        Arrays.sort(sorted);
        System.out.printf(
                "%-14s p50 %6.2f ms   p99 %6.2f ms   %7.0f events/s%n",
                what,
                sorted[sorted.length / 2] / 1e6,
                sorted[sorted.length * 99 / 100] / 1e6,
                sorted.length / (elapsed / 1e9));
    }
}
