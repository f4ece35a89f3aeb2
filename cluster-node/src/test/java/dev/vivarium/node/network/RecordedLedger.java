package dev.vivarium.node.network;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;

/** Keeps what it is told, as lines. */
public final class RecordedLedger implements EgressLedger {
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final Map<String, Transfer> transfers = new ConcurrentHashMap<>();

    /** What was moved to and from one destination. */
    public record Transfer(String host, int port, long bytesOut, long bytesIn) {
        Transfer plus(Transfer more) {
            return new Transfer(host, port, bytesOut + more.bytesOut, bytesIn + more.bytesIn);
        }
    }

    private final AtomicLong opened = new AtomicLong();

    @Override
    public boolean opens(EgressSubject subject) {
        return opened.incrementAndGet() <= subject.connectionsMax();
    }

    @Override
    public void allowed(EgressSubject subject, String host, int port) {
        lines.add("allowed " + host + ":" + port);
    }

    @Override
    public void transferred(EgressSubject subject, String host, int port, long bytesOut, long bytesIn) {
        transfers.merge(host + ":" + port, new Transfer(host, port, bytesOut, bytesIn), Transfer::plus);
    }

    @Override
    public void denied(EgressSubject subject, String what, int port, DenialReason reason) {
        lines.add("denied " + what + ":" + port + " " + reason);
    }

    public List<String> lines() {
        return List.copyOf(lines);
    }

    public List<Transfer> transfers() {
        return List.copyOf(transfers.values());
    }
}
