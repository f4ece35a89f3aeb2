package dev.vivarium.node.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.placement.NodeSlots.Claim;
import dev.vivarium.node.placement.NodeSlots.Seniority;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SlotQueueTest {
    private static final Instant NOON = Instant.parse("2026-11-25T12:00:00Z");

    private final Map<Tenant, Integer> held = new HashMap<>();
    private final List<Claim> waiting = new ArrayList<>();
    private Set<String> leaving = Set.of();
    private final Map<Tenant, Integer> weights = new HashMap<>();
    private SlotQueue queue = SlotQueue.empty(this::weight);
    private int named;

    @Test
    void aPositionEqualsTheNumberOfTurnsUntilTheRunsOwn() {
        for (int seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            held.clear();
            waiting.clear();
            leaving = Set.of();
            weights.clear();
            queue = SlotQueue.empty(this::weight);
            for (int step = 0; step < 60; step++) {
                change(random);
                List<Claim> order = byTakingTurns();
                for (Claim claim : waiting) {
                    int rank = order.indexOf(claim);
                    int position = rank < 0 ? waiting.size() : rank + 1;
                    assertThat(queue.position(claim)).contains(new QueueView(position, waiting.size()));
                }
                assertThat(queue.next()).isEqualTo(order.stream().findFirst());
                assertThat(queue.size()).isEqualTo(waiting.size());
            }
        }
    }

    @Test
    void aTenantWithThreeTimesTheWeightGetsThreeTimesTheSlots() {
        weights.put(new Tenant("a"), 3);
        for (int number = 0; number < 40; number++) {
            queue = queue.with(claim(new Tenant("b"), Seniority.NEW, number, "1"))
                    .with(claim(new Tenant("a"), Seniority.NEW, number, "1"));
        }

        for (int turn = 0; turn < 40; turn++) {
            take(queue.next());
        }

        assertThat(held).containsOnly(Map.entry(new Tenant("a"), 30), Map.entry(new Tenant("b"), 10));
    }

    @Test
    void aRunThatDoesNotWaitHasNoPosition() {
        Claim waits = claim(new Tenant("a"), Seniority.NEW, 1, "1");
        Claim refused = claim(new Tenant("a"), Seniority.NEW, 2, "1");

        SlotQueue one = SlotQueue.empty(tenant -> 1).with(waits);

        assertThat(one.position(refused)).isEmpty();
        assertThat(one.without(waits).position(waits)).isEmpty();
        assertThat(one.position(waits)).as("a queue never changes").contains(new QueueView(1, 1));
    }

    private void change(Random random) {
        Tenant tenant = new Tenant("abcd".substring(random.nextInt(4)).substring(0, 1));
        switch (random.nextInt(9)) {
            case 0 -> take(queue.next());
            case 1 -> {
                if (held.getOrDefault(tenant, 0) > 0) {
                    held.merge(tenant, -1, Integer::sum);
                    queue = queue.left(tenant);
                }
            }
            case 2 -> {
                if (!waiting.isEmpty()) {
                    queue = queue.without(waiting.remove(random.nextInt(waiting.size())));
                }
            }
            case 4 -> weights.put(tenant, 1 + random.nextInt(5));
            case 3 -> {
                leaving = random.nextBoolean() ? Set.of() : Set.of(Integer.toString(random.nextInt(4)));
                queue = queue.withLeaving(leaving);
            }
            default -> {
                Seniority seniority = random.nextInt(3) == 0 ? Seniority.INTERRUPTED : Seniority.NEW;
                Claim claim = claim(tenant, seniority, random.nextInt(20), Integer.toString(random.nextInt(4)));
                waiting.add(claim);
                queue = queue.with(claim);
            }
        }
    }

    private int weight(Tenant tenant) {
        return weights.getOrDefault(tenant, 1);
    }

    private void take(Optional<Claim> turn) {
        turn.ifPresent(claim -> {
            waiting.remove(claim);
            held.merge(claim.tenant(), 1, Integer::sum);
            queue = queue.granted(claim);
        });
    }

    /** The definition: turn by turn, the most senior run of the tenant that holds fewest for its weight by then, oldest submission first. */
    private List<Claim> byTakingTurns() {
        Map<Tenant, Integer> holds = new HashMap<>(held);
        Set<Claim> left = new HashSet<>(waiting);
        left.removeIf(claim -> leaving.contains(claim.shard()));
        List<Claim> order = new ArrayList<>();
        while (!left.isEmpty()) {
            Claim next = left.stream()
                    .min(Comparator.comparing(Claim::seniority)
                            .thenComparing(claim -> BigDecimal.valueOf(holds.getOrDefault(claim.tenant(), 0) * 60L)
                                    .divide(BigDecimal.valueOf(weight(claim.tenant()))))
                            .thenComparing(Claim::submittedAt)
                            .thenComparing(claim -> claim.run().value()))
                    .orElseThrow();
            left.remove(next);
            holds.merge(next.tenant(), 1, Integer::sum);
            order.add(next);
        }
        return order;
    }

    private Claim claim(Tenant tenant, Seniority seniority, int second, String shard) {
        return new Claim(
                new RunId("01j%023d".formatted(named++)),
                tenant,
                Capacity.NONE,
                TenantUse.NONE,
                seniority,
                NOON.plusSeconds(second),
                shard,
                () -> {});
    }
}
