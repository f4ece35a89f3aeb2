package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.ContainerProcesses;
import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.trials.outside.OciRecords;
import dev.vivarium.trials.outside.OciRecords.Claimed;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Records the sandboxes of the driver oci by looking at their links and control groups again and again. A sandbox lives while
 * its control group has a process. What is between two looks is not known, and so not held against anyone.
 */
final class KernelLog implements SandboxLog {
    private static final long PAUSE_MILLIS = 5;

    private final OciRecords records;
    /** Installations that were there before, which a look would waste its time on. */
    private final Set<String> earlier;

    private final Thread looking = new Thread(this::look, "kernel-log");
    private final Map<String, Life> lives = new TreeMap<>();
    /** When the links were last listed. */
    private Instant listed = Instant.MIN;

    private Optional<IOException> broken = Optional.empty();

    private static final class Life {
        private final Claimed claim;
        private Optional<String> node = Optional.empty();
        private Optional<Instant> started = Optional.empty();
        private Optional<Instant> lastAlive = Optional.empty();
        private Instant earliest;
        private Optional<Instant> latest = Optional.empty();
        private Optional<Instant> removed = Optional.empty();
        private boolean alive;

        private Life(Claimed claim, Instant earliest) {
            this.claim = claim;
            this.earliest = earliest;
        }
    }

    /** Starts recording the sandboxes of installations that do not exist yet. */
    KernelLog() throws IOException {
        this(new OciRecords());
    }

    KernelLog(OciRecords records) throws IOException {
        this.records = records;
        this.earlier = records.installations();
        looking.setDaemon(true);
        looking.start();
    }

    private void look() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                long began = System.nanoTime();
                lookOnce();
                // At least half of the time for the others: many sandboxes take long to look at.
                Duration took = Duration.ofNanos(System.nanoTime() - began);
                TimeUnit.MILLISECONDS.sleep(Math.max(PAUSE_MILLIS, took.toMillis()));
            }
        } catch (InterruptedException closed) {
            Thread.currentThread().interrupt();
        } catch (IOException unreadable) {
            fail(unreadable);
        }
    }

    private synchronized void fail(IOException unreadable) {
        broken = Optional.of(unreadable);
    }

    private synchronized void lookOnce() throws IOException {
        Instant before = Instant.now();
        Set<String> claimed = new HashSet<>();
        for (String installation : records.installations()) {
            if (!earlier.contains(installation)) {
                for (Claimed claim : records.claims(installation)) {
                    claimed.add(claim.id());
                    lives.computeIfAbsent(claim.id(), first -> new Life(claim, listed));
                }
            }
        }
        listed = before;
        for (Life life : lives.values()) {
            if (life.removed.isEmpty() || life.alive) {
                look(life, claimed.contains(life.claim.id()));
            }
        }
    }

    private void look(Life life, boolean claimed) throws IOException {
        Instant before = Instant.now();
        if (life.node.isEmpty()) {
            life.node = records.node(life.claim);
        }
        life.alive = !records.processes(life.claim).isEmpty();
        if (life.alive) {
            life.started = life.started.or(() -> Optional.of(Instant.now()));
            life.lastAlive = Optional.of(before);
            life.latest = Optional.empty();
        } else if (life.started.isEmpty()) {
            life.earliest = before;
        } else {
            life.latest = life.latest.or(() -> Optional.of(Instant.now()));
        }
        if (!claimed && life.removed.isEmpty()) {
            life.removed = Optional.of(before);
        }
    }

    private Set<String> installations(Set<String> runs) {
        Set<String> installations = new HashSet<>();
        lives.values().stream()
                .filter(life -> runs.contains(life.claim.run()))
                .forEach(life -> installations.add(life.claim.installation()));
        return installations;
    }

    @Override
    public synchronized List<SandboxLife> sandboxes(Set<String> runs) throws IOException {
        if (broken.isPresent()) {
            throw new IOException("The sandboxes of the driver oci could not be watched to the end.", broken.get());
        }
        Set<String> installations = installations(runs);
        List<SandboxLife> all = new ArrayList<>();
        for (Life life : lives.values()) {
            if (installations.contains(life.claim.installation()) && life.started.isPresent()) {
                all.add(new SandboxLife(
                        Driver.OCI,
                        life.claim.id(),
                        life.claim.run(),
                        life.claim.attempt(),
                        life.node.orElse(life.claim.node()),
                        life.started.get(),
                        life.alive ? Optional.empty() : life.lastAlive,
                        life.earliest,
                        life.latest));
            }
        }
        return all;
    }

    @Override
    public synchronized Optional<Instant> removed(SandboxLife sandbox) {
        return Optional.ofNullable(lives.get(sandbox.id())).flatMap(life -> life.removed);
    }

    @Override
    public synchronized List<String> left(Set<String> runs) throws IOException {
        List<String> left = new ArrayList<>();
        for (String installation : installations(runs)) {
            // Its nodes live, and keep some ready.
            Set<String> waiting = records.waiting(installation);
            records.remains(installation).stream()
                    .filter(path ->
                            !waiting.contains(Path.of(path).getFileName().toString()))
                    .forEach(left::add);
        }
        return left;
    }

    @Override
    public synchronized ContainerProcesses processes(SandboxLife sandbox) throws IOException {
        Life life = Optional.ofNullable(lives.get(sandbox.id()))
                .orElseThrow(() -> new IOException("Sandbox " + sandbox.id() + " is not known."));
        return ContainerProcesses.of(records, life.claim);
    }

    @Override
    public void close() {
        looking.interrupt();
    }
}
