package dev.vivarium.node.webhook;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * The messages that wait, and how many are being sent, to whom. One that is slow or dead takes the places of its endpoint and
 * of its tenant, and no more: each tenant's messages to one endpoint wait in a queue of their own, and queues take turns.
 * Holds names only; what is sent is in the store. Owned by one actor.
 */
final class DeliveryQueue {
    private final WebhookSettings settings;
    /** In the order of their turns. */
    private final Map<Lane, PriorityQueue<Waiting>> lanes = new LinkedHashMap<>();

    private final Map<Name, Lane> inFlight = new HashMap<>();
    private final Map<Tenant, Integer> inFlightOfTenants = new HashMap<>();
    private final Map<String, Integer> inFlightOfEndpoints = new HashMap<>();
    private final Set<Name> known = new HashSet<>();
    private final Map<Tenant, Integer> knownOfTenants = new HashMap<>();

    /** A message's name. */
    record Name(RunId run, long seq) {}

    private record Lane(Tenant tenant, String endpoint) {}

    private record Waiting(Name name, Instant dueAt) {}

    DeliveryQueue(WebhookSettings settings) {
        this.settings = settings;
    }

    /** Why there is no room for a tenant's messages; empty when there is, after so many others of it. */
    Optional<String> full(Tenant tenant, int others) {
        if (knownOfTenants.getOrDefault(tenant, 0) + others >= settings.pendingOfTenant()) {
            return Optional.of("not sent: " + settings.pendingOfTenant()
                    + " messages of the tenant wait already (vivarium.webhooks.pending-of-tenant)");
        }
        return known.size() + others >= settings.pendingMax()
                ? Optional.of(
                        "not sent: " + settings.pendingMax() + " messages wait already (vivarium.webhooks.pending-max)")
                : Optional.empty();
    }

    /** Adds a message; one that is here already stays as it is. */
    void add(Name name, Tenant tenant, String endpoint, Instant dueAt) {
        if (known.add(name)) {
            knownOfTenants.merge(tenant, 1, Integer::sum);
            wait(name, new Lane(tenant, endpoint), dueAt);
        }
    }

    private void wait(Name name, Lane lane, Instant dueAt) {
        lanes.computeIfAbsent(lane, any -> new PriorityQueue<>(Comparator.comparing(Waiting::dueAt)))
                .add(new Waiting(name, dueAt));
    }

    /** Takes what is due and may be sent now; each is in flight until {@link #done} or {@link #again}. */
    List<Name> take(Instant now) {
        List<Name> taken = new ArrayList<>();
        boolean goesOn = true;
        while (goesOn) {
            goesOn = false;
            for (Lane lane : List.copyOf(lanes.keySet())) {
                Optional<Name> next = take(lane, now);
                next.ifPresent(taken::add);
                goesOn |= next.isPresent();
            }
        }
        return taken;
    }

    private Optional<Name> take(Lane lane, Instant now) {
        PriorityQueue<Waiting> queue = lanes.get(lane);
        if (queue == null
                || queue.isEmpty()
                || queue.peek().dueAt().isAfter(now)
                || inFlight.size() >= settings.inFlightMax()
                || inFlightOfTenants.getOrDefault(lane.tenant, 0) >= settings.inFlightOfTenant()
                || inFlightOfEndpoints.getOrDefault(lane.endpoint, 0) >= settings.inFlightOfEndpoint()) {
            return Optional.empty();
        }
        Name name = queue.remove().name();
        lanes.remove(lane);
        if (!queue.isEmpty()) {
            lanes.put(lane, queue);
        }
        inFlight.put(name, lane);
        inFlightOfTenants.merge(lane.tenant, 1, Integer::sum);
        inFlightOfEndpoints.merge(lane.endpoint, 1, Integer::sum);
        return Optional.of(name);
    }

    /** A message that was in flight needs not be sent any more. */
    void done(Name name) {
        land(name).ifPresent(lane -> {
            known.remove(name);
            lessOne(knownOfTenants, lane.tenant);
        });
    }

    /** A message that was in flight is to be sent again. */
    void again(Name name, Instant dueAt) {
        land(name).ifPresent(lane -> wait(name, lane, dueAt));
    }

    private Optional<Lane> land(Name name) {
        Optional<Lane> lane = Optional.ofNullable(inFlight.remove(name));
        lane.ifPresent(flown -> {
            lessOne(inFlightOfTenants, flown.tenant);
            lessOne(inFlightOfEndpoints, flown.endpoint);
        });
        return lane;
    }

    private static <K> void lessOne(Map<K, Integer> counts, K key) {
        counts.computeIfPresent(key, (any, count) -> count == 1 ? null : count - 1);
    }

    boolean contains(Name name) {
        return known.contains(name);
    }

    /** All that is not done. */
    int size() {
        return known.size();
    }
}
