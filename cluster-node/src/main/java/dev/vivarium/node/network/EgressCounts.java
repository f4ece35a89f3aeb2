package dev.vivarium.node.network;

import dev.vivarium.node.driver.SandboxId;
import dev.vivarium.protocol.egress.EgressDenial;
import dev.vivarium.protocol.egress.EgressReach;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * Counts what sandboxes request of the resolver and the gateway during their lifetime. Several hundred destinations of
 * each sandbox are counted separately, others only in total. Thread-safe.
 */
final class EgressCounts implements EgressLedger {
    private static final int TOLD_APART_MAX = 512;
    private static final int DNS_PORT = 53;

    private final Map<SandboxId, Counts> counts = new ConcurrentHashMap<>();

    private record Destination(String protocol, String what, int port) {}

    private static final class Reached {
        private final LongAdder count = new LongAdder();
        private final LongAdder bytesOut = new LongAdder();
        private final LongAdder bytesIn = new LongAdder();
    }

    private static final class Counts {
        private final AtomicLong opened = new AtomicLong();
        private final LongAdder denied = new LongAdder();
        private final Map<Destination, LongAdder> tried = new ConcurrentHashMap<>();
        private final Map<Destination, Reached> reached = new ConcurrentHashMap<>();

        void deny(Destination destination) {
            denied.increment();
            of(tried, destination, LongAdder::new).ifPresent(LongAdder::increment);
        }

        void reach(Destination destination) {
            of(reached, destination, Reached::new).ifPresent(one -> one.count.increment());
        }

        void transfer(Destination destination, long out, long in) {
            of(reached, destination, Reached::new).ifPresent(one -> {
                one.bytesOut.add(out);
                one.bytesIn.add(in);
            });
        }

        /** Concurrent threads may exceed the limit by a few, which is harmless. */
        private static <T> Optional<T> of(Map<Destination, T> counts, Destination destination, Supplier<T> first) {
            return counts.containsKey(destination) || counts.size() < TOLD_APART_MAX
                    ? Optional.of(counts.computeIfAbsent(destination, unknown -> first.get()))
                    : Optional.empty();
        }

        EgressTally tally() {
            return new EgressTally(opened.get(), reaches(), denied.sum(), denials());
        }

        private List<EgressReach> reaches() {
            return reached.entrySet().stream()
                    .map(entry -> new EgressReach(
                            entry.getKey().protocol,
                            entry.getKey().what,
                            entry.getKey().port,
                            entry.getValue().count.sum(),
                            entry.getValue().bytesOut.sum(),
                            entry.getValue().bytesIn.sum()))
                    .toList();
        }

        private List<EgressDenial> denials() {
            return tried.entrySet().stream()
                    .map(entry -> new EgressDenial(
                            entry.getKey().protocol,
                            entry.getKey().what,
                            entry.getKey().port,
                            entry.getValue().sum()))
                    .toList();
        }
    }

    /** Starts counting for the sandbox. */
    void begin(SandboxId sandbox) {
        counts.put(sandbox, new Counts());
    }

    /** Forgets a sandbox that is gone. */
    void forget(SandboxId sandbox) {
        counts.remove(sandbox);
    }

    /** The sandbox's counts so far; empty for one that is gone. */
    EgressTally of(SandboxId sandbox) {
        Counts known = counts.get(sandbox);
        return known == null ? EgressTally.NOTHING : known.tally();
    }

    /** Late reports about a sandbox that is gone are counted and discarded. */
    private Counts countsOf(SandboxId sandbox) {
        Counts known = counts.get(sandbox);
        return known == null ? new Counts() : known;
    }

    @Override
    public boolean opens(EgressSubject subject) {
        return countsOf(subject.sandbox()).opened.incrementAndGet() <= subject.connectionsMax();
    }

    @Override
    public void allowed(EgressSubject subject, String host, int port) {
        countsOf(subject.sandbox()).reach(new Destination("tcp", host, port));
    }

    @Override
    public void transferred(EgressSubject subject, String host, int port, long bytesOut, long bytesIn) {
        countsOf(subject.sandbox()).transfer(new Destination("tcp", host, port), bytesOut, bytesIn);
    }

    @Override
    public void denied(EgressSubject subject, String what, int port, DenialReason reason) {
        countsOf(subject.sandbox()).deny(new Destination(port == DNS_PORT ? "dns" : "tcp", what, port));
    }
}
