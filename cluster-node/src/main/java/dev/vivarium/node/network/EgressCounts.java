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
 * Counts what sandboxes ask of the resolver and the gateway, for as long as they live. Some hundreds of
 * destinations of each are told apart; what is beyond that is counted in all only. Safe for use by any thread.
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

        /** A few too many, when several threads come at once, do no harm. */
        private static <T> Optional<T> of(Map<Destination, T> counts, Destination destination, Supplier<T> first) {
            return counts.containsKey(destination) || counts.size() < TOLD_APART_MAX
                    ? Optional.of(counts.computeIfAbsent(destination, unknown -> first.get()))
                    : Optional.empty();
        }

        List<EgressReach> reaches() {
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

        List<EgressDenial> denials() {
            return tried.entrySet().stream()
                    .map(entry -> new EgressDenial(
                            entry.getKey().protocol,
                            entry.getKey().what,
                            entry.getKey().port,
                            entry.getValue().sum()))
                    .toList();
        }
    }

    /** From now on the sandbox is counted. */
    void begin(SandboxId sandbox) {
        counts.put(sandbox, new Counts());
    }

    /** The sandbox is gone. */
    void forget(SandboxId sandbox) {
        counts.remove(sandbox);
    }

    long opened(SandboxId sandbox) {
        return of(sandbox).opened.get();
    }

    long denied(SandboxId sandbox) {
        return of(sandbox).denied.sum();
    }

    List<EgressReach> reaches(SandboxId sandbox) {
        return of(sandbox).reaches();
    }

    List<EgressDenial> denials(SandboxId sandbox) {
        return of(sandbox).denials();
    }

    /** What comes late for a sandbox that is gone is counted for nobody. */
    private Counts of(SandboxId sandbox) {
        Counts known = counts.get(sandbox);
        return known == null ? new Counts() : known;
    }

    @Override
    public boolean opens(EgressSubject subject) {
        return of(subject.sandbox()).opened.incrementAndGet() <= subject.connectionsMax();
    }

    @Override
    public void allowed(EgressSubject subject, String host, int port) {
        of(subject.sandbox()).reach(new Destination("tcp", host, port));
    }

    @Override
    public void transferred(EgressSubject subject, String host, int port, long bytesOut, long bytesIn) {
        of(subject.sandbox()).transfer(new Destination("tcp", host, port), bytesOut, bytesIn);
    }

    @Override
    public void denied(EgressSubject subject, String what, int port, DenialReason reason) {
        of(subject.sandbox()).deny(new Destination(port == DNS_PORT ? "dns" : "tcp", what, port));
    }
}
