package dev.vivarium.node.placement;

import static dev.vivarium.node.placement.WhenFull.QUEUE;
import static dev.vivarium.node.placement.WhenFull.REFUSE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.placement.NodeSlots.Answer;
import dev.vivarium.node.placement.NodeSlots.Seniority;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.access.Quotas;
import dev.vivarium.protocol.api.QueueView;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.RunId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.apache.pekko.Done;
import org.junit.jupiter.api.Test;

class NodeSlotsTest {
    private static final TenantUse ONE = new TenantUse(1, 0, 64, 500, 8, 1024, 0, 0);
    private static final Capacity SMALL = new Capacity(1, 64, 500);
    private static final Instant NOON = Instant.parse("2026-11-25T12:00:00Z");

    private final Drain drain = new Drain();
    private final AtomicLong nanos = new AtomicLong();
    private final List<String> turns = new ArrayList<>();
    private final Map<String, RunId> ids = new HashMap<>();

    @Test
    void aRunThatFindsASlotFreeHoldsItAndIsNotNotified() {
        NodeSlots slots = slots(2, 10, 10);

        assertThat(offer(slots, "a1")).isEqualTo(Answer.HOLDS);
        assertThat(offer(slots, "a1")).isEqualTo(Answer.HOLDS);

        assertThat(turns).isEmpty();
        assertThat(slots.holding()).isEqualTo(1);
        assertThat(slots.position(id("a1"))).isEmpty();
    }

    @Test
    void slotsGoToTheTenantThatHoldsFewest() {
        NodeSlots slots = slots(2, 100, 100);
        offer(slots, "a1", "a2", "a3", "a4", "a5", "a6", "b1", "c1", "b2");

        assertThat(positions(slots, "b1", "c1", "b2", "a3", "a4", "a5", "a6")).containsExactly(1, 2, 3, 4, 5, 6, 7);
        slots.leave(id("a1"));
        slots.leave(id("a2"));
        assertThat(turns).containsExactly("b1", "c1");
        slots.leave(id("c1"));
        slots.leave(id("b1"));
        assertThat(turns).containsExactly("b1", "c1", "a3", "b2");
    }

    @Test
    void aTenantsRunsFollowInOrderOfSubmissionWhereverTheyWaitedBefore() {
        NodeSlots slots = slots(1, 100, 100);
        offer(slots, "a5");
        slots.claim(claim("a9", Seniority.NEW));
        slots.claim(claim("a2", Seniority.NEW));
        slots.claim(claim("a7", Seniority.NEW));

        List.of("a5", "a2", "a7").forEach(run -> slots.leave(id(run)));

        assertThat(turns).containsExactly("a2", "a7", "a9");
    }

    @Test
    void aRunThatHasLostItsSandboxGoesFirst() {
        NodeSlots slots = slots(1, 100, 100);
        offer(slots, "a1", "b2");
        slots.claim(claim("a9", Seniority.INTERRUPTED));

        slots.leave(id("a1"));

        assertThat(turns).containsExactly("a9");
    }

    @Test
    void theQueueAndEachTenantsPartOfItAreBoundedAndRefusedRunsAreForgotten() {
        NodeSlots slots = slots(1, 3, 2);
        offer(slots, "a1", "a2", "a3");

        assertThat(offer(slots, "a4")).isEqualTo(Answer.TENANT_FULL);
        assertThat(offer(slots, "b1")).isEqualTo(Answer.WAITS);
        assertThat(offer(slots, "c1")).isEqualTo(Answer.QUEUE_FULL);
        assertThat(slots.isFull(SMALL)).isTrue();
        assertThat(slots.waiting()).isEqualTo(3);
        assertThat(slots.position(id("c1"))).isEmpty();

        assertThat(slots.claim(claim("c2", Seniority.NEW)))
                .as("an accepted run waits however long the queue is")
                .isEqualTo(Answer.WAITS);
    }

    @Test
    void aRunThatMayNotWaitIsRefusedWhenNoSlotIsFree() {
        NodeSlots slots = slots(1, 10, 10);

        assertThat(slots.offer(claim("a1", SMALL), REFUSE).answer()).isEqualTo(Answer.HOLDS);
        assertThat(slots.offer(claim("a2", SMALL), REFUSE).answer()).isEqualTo(Answer.QUEUE_FULL);
        assertThat(slots.waiting()).isZero();
    }

    @Test
    void aDrainIsDoneWhenNoSlotIsHeldAndReturnedRunsWait() {
        NodeSlots slots = slots(2, 10, 10);
        offer(slots, "a1", "a2");
        drain.begin();
        CompletionStage<Done> allLeft = slots.allLeft();

        slots.giveBack(claim("a1", Seniority.NEW));
        assertThat(allLeft).isNotCompleted();
        slots.leave(id("a2"));

        assertThat(allLeft).isCompleted();
        assertThat(slots.allLeft()).isCompleted();
        assertThat(slots.count()).isEqualTo(new NodeSlots.Count(Capacity.NONE, 0, 1));
    }

    @Test
    void memoryAndProcessorsLimitSlotsToo() {
        NodeSlots slots = new NodeSlots(new Capacity(100, 256, 2000), 10, 10, drain, nanos::get, QuotaCheck.NONE);

        assertThat(slots.offer(claim("a1", new Capacity(1, 128, 500)), QUEUE).answer())
                .isEqualTo(Answer.HOLDS);
        assertThat(slots.offer(claim("a2", new Capacity(1, 64, 1500)), QUEUE).answer())
                .isEqualTo(Answer.HOLDS);
        assertThat(slots.offer(claim("a3", new Capacity(1, 64, 500)), QUEUE).answer())
                .isEqualTo(Answer.WAITS);
        slots.leave(id("a1"));
        assertThat(turns).containsExactly("a3");
        assertThat(slots.count().taken()).isEqualTo(new Capacity(2, 128, 2000));
    }

    @Test
    void noRunOvertakesALargeRunThatWaitsForRoom() {
        NodeSlots slots = new NodeSlots(new Capacity(100, 256, 8000), 10, 10, drain, nanos::get, QuotaCheck.NONE);
        slots.offer(claim("a1", new Capacity(1, 200, 500)), QUEUE).answer();
        slots.offer(claim("b1", new Capacity(1, 200, 500)), QUEUE).answer();

        assertThat(slots.offer(claim("c1", SMALL), QUEUE).answer()).isEqualTo(Answer.WAITS);

        slots.leave(id("a1"));
        assertThat(turns).containsExactly("b1");
        slots.leave(id("b1"));
        assertThat(turns).containsExactly("b1", "c1");
    }

    @Test
    void aRunThatNeedsMoreThanTheNodeHasGetsTheWholeNode() {
        NodeSlots slots = new NodeSlots(new Capacity(100, 256, 8000), 10, 10, drain, nanos::get, QuotaCheck.NONE);
        slots.offer(claim("a1", SMALL), QUEUE).answer();
        assertThat(slots.offer(claim("b1", new Capacity(1, 4096, 500)), QUEUE).answer())
                .isEqualTo(Answer.WAITS);

        slots.leave(id("a1"));

        assertThat(turns).containsExactly("b1");
        assertThat(slots.count().taken()).isEqualTo(new Capacity(1, 256, 500));
    }

    @Test
    void noRunGetsATurnWhileTheNodeDrains() {
        NodeSlots slots = slots(1, 10, 10);
        offer(slots, "a1", "a2");
        drain.begin();

        slots.leave(id("a1"));

        assertThat(turns).isEmpty();
        assertThat(slots.position(id("a2"))).contains(new QueueView(1, 1));
    }

    @Test
    void onlyShardsWithoutHeldSlotsAreReleasedAndTheirRunsGetNone() {
        NodeSlots slots = slots(2, 10, 10);
        slots.offer(claimIn("a1", "1"), QUEUE).answer();
        slots.offer(claimIn("a2", "2"), QUEUE).answer();
        slots.offer(claimIn("a3", "3"), QUEUE).answer();
        slots.offer(claimIn("a4", "1"), QUEUE).answer();
        Set<String> all = Set.of("1", "2", "3", "4");

        assertThat(slots.releaseIdle(all)).containsExactly("4");
        assertThat(slots.releaseWaiting(all)).containsExactly("3");
        slots.leave(id("a2"));

        assertThat(turns).containsExactly("a4");
        assertThat(slots.position(id("a3"))).contains(new QueueView(1, 1));
        assertThat(slots.releaseAll(all)).containsExactlyInAnyOrder("2", "3", "4");
    }

    @Test
    void aReleasedShardThatDidNotMoveIsTheNodesAgain() {
        NodeSlots slots = slots(1, 10, 10);
        slots.offer(claimIn("a1", "1"), QUEUE).answer();
        slots.offer(claimIn("a2", "2"), QUEUE).answer();
        slots.releaseWaiting(Set.of("2"));
        slots.leave(id("a1"));
        assertThat(turns).isEmpty();

        nanos.addAndGet(Duration.ofSeconds(21).toNanos());
        slots.look();

        assertThat(turns).containsExactly("a2");
    }

    @Test
    void underRandomLoadNoSlotIsGivenTwiceAndNoRunIsForgotten() {
        for (int seed = 0; seed < 50; seed++) {
            Random random = new Random(seed);
            NodeSlots slots = new NodeSlots(new Capacity(5, 1000, 4000), 30, 12, drain, nanos::get, QuotaCheck.NONE);
            turns.clear();
            List<String> live = new ArrayList<>();
            Map<String, Answer> answers = new HashMap<>();
            for (int step = 0; step < 400; step++) {
                if (random.nextInt(3) > 0) {
                    String run = "abc".charAt(random.nextInt(3)) + Integer.toString(1000 * seed + step);
                    Answer answer = slots.offer(
                                    claim(run, new Capacity(1, random.nextInt(600), random.nextInt(2500))), QUEUE)
                            .answer();
                    answers.put(run, answer);
                    if (answer == Answer.HOLDS || answer == Answer.WAITS) {
                        live.add(run);
                    }
                } else if (!live.isEmpty()) {
                    slots.leave(id(live.remove(random.nextInt(live.size()))));
                }
                NodeSlots.Count count = slots.count();
                assertThat(slots.capacity().covers(count.taken())).isTrue();
                assertThat(count.holding() + count.waiting()).isEqualTo(live.size());
                assertThat(count.taken().runs()).isEqualTo(count.holding());
                TenantUse used = slots.tenants().stream().map(TenantLoad::use).reduce(TenantUse.NONE, TenantUse::plus);
                assertThat(used.runs()).isEqualTo(live.size());
                assertThat(used.waiting()).isEqualTo(count.waiting());
            }
            while (!live.isEmpty()) {
                String holder = live.stream()
                        .filter(run -> slots.isHeldBy(id(run)))
                        .findFirst()
                        .orElseThrow();
                live.remove(holder);
                slots.leave(id(holder));
            }
            assertThat(slots.count()).isEqualTo(new NodeSlots.Count(Capacity.NONE, 0, 0));
            assertThat(slots.tenants()).isEmpty();
            assertThat(turns).doesNotHaveDuplicates();
            assertThat(turns).allMatch(run -> answers.get(run) == Answer.WAITS);
        }
    }

    @Test
    void aRunThatWouldPutItsTenantOverAQuotaIsRefusedAndCountsForNothing() {
        NodeSlots slots = held(Map.of(Quota.MEMORY, 128L), TenantUse.NONE);
        offer(slots, "a1", "a2");

        NodeSlots.Offered third = slots.offer(claim("a3", SMALL), QUEUE);

        assertThat(third.answer()).isEqualTo(Answer.OVER_QUOTA);
        assertThat(third.excess()).contains(new QuotaExcess(new Tenant("a"), Quota.MEMORY, 128, 128, 64));
        assertThat(slots.usedInCluster(new Tenant("a"))).isEqualTo(ONE.plus(ONE));
        assertThat(slots.count().waiting()).isZero();
        assertThat(offer(slots, "b1")).as("another tenant").isEqualTo(Answer.WAITS);
        slots.leave(id("a1"));
        assertThat(offer(slots, "a3")).isEqualTo(Answer.WAITS);
    }

    @Test
    void aQuotaLoweredBelowItsUseEndsNothingAndRefusesUntilUseIsBelow() {
        Map<Quota, Long> quotas = new EnumMap<>(Quota.class);
        NodeSlots slots = held(quotas, TenantUse.NONE);
        offer(slots, "a1", "a2", "a3");
        quotas.put(Quota.RUNS, 2L);

        assertThat(offer(slots, "a4")).isEqualTo(Answer.OVER_QUOTA);
        assertThat(slots.count().holding()).isEqualTo(2);
        assertThat(slots.claim(claim("a5", Seniority.NEW)))
                .as("an accepted run that comes here")
                .isEqualTo(Answer.WAITS);
        slots.leave(id("a1"));
        slots.leave(id("a2"));
        assertThat(offer(slots, "a4")).isEqualTo(Answer.OVER_QUOTA);
        slots.leave(id("a3"));
        assertThat(offer(slots, "a4")).isEqualTo(Answer.HOLDS);
    }

    @Test
    void aQuotaOfWaitingRunsRefusesOnlyRunsThatWouldWait() {
        NodeSlots slots = held(Map.of(Quota.WAITING, 1L), TenantUse.NONE);

        assertThat(offer(slots, "a1", "a2")).isEqualTo(Answer.HOLDS);
        assertThat(offer(slots, "a3")).isEqualTo(Answer.WAITS);
        NodeSlots.Offered fourth = slots.offer(claim("a4", SMALL), QUEUE);
        assertThat(fourth.excess()).contains(new QuotaExcess(new Tenant("a"), Quota.WAITING, 1, 1, 1));
        assertThat(slots.position(id("a4"))).isEmpty();
        slots.leave(id("a1"));
        assertThat(offer(slots, "a4")).isEqualTo(Answer.WAITS);
    }

    @Test
    void whatATenantUsesElsewhereCounts() {
        NodeSlots slots = held(Map.of(Quota.RUNS, 3L), new TenantUse(2, 2, 0, 0, 0, 0, 0, 0));

        assertThat(offer(slots, "a1")).isEqualTo(Answer.HOLDS);
        assertThat(slots.offer(claim("a2", SMALL), QUEUE).excess())
                .contains(new QuotaExcess(new Tenant("a"), Quota.RUNS, 3, 3, 1));
    }

    @Test
    void egressOfADayIsThatOfEndedRunsAndTheLimitsOfOthersThatHaveANetwork() {
        NodeSlots slots = held(Map.of(Quota.EGRESS, 100L), TenantUse.ofEgress(40));
        Limits limits = Limits.SMALLEST.with(Limit.EGRESS_BYTES, new ByteSize(50));
        TenantUse networked = TenantUse.of(limits, EgressPolicy.publicInternet(), List.of());

        assertThat(slots.excess(new Tenant("a"), networked)).isEmpty();
        assertThat(slots.excess(new Tenant("a"), networked.plus(networked)))
                .contains(new QuotaExcess(new Tenant("a"), Quota.EGRESS, 100, 40, 100));
        assertThat(TenantUse.of(limits, EgressPolicy.none(), List.of()).of(Quota.EGRESS))
                .hasValue(0);
    }

    @Test
    void aRunThatHasNotEndedCountsWithWhatMayBeKeptOfIt() {
        Limits limits = Limits.SMALLEST.with(Limit.OUTPUT, new ByteSize(30)).with(Limit.ARTIFACTS, new ByteSize(20));

        assertThat(TenantUse.of(limits, EgressPolicy.none(), List.of()).of(Quota.KEPT))
                .hasValue(30);
        assertThat(TenantUse.of(limits, EgressPolicy.none(), List.of("out/**")).of(Quota.KEPT))
                .hasValue(50);
    }

    @Test
    void anAmountThatARunDoesNotAskForRefusesNothing() {
        NodeSlots slots = held(Map.of(Quota.DISK, 0L), TenantUse.NONE);
        TenantUse diskless = new TenantUse(1, 0, 64, 500, 8, 0, 0, 0);

        assertThat(slots.excess(new Tenant("a"), diskless)).isEmpty();
        assertThat(slots.excess(new Tenant("a"), ONE)).isPresent();
    }

    /** Two slots, and the same quotas for all tenants. */
    private NodeSlots held(Map<Quota, Long> quotas, TenantUse elsewhere) {
        return new NodeSlots(
                new Capacity(2, Capacity.UNLIMITED, Capacity.UNLIMITED),
                10,
                10,
                drain,
                nanos::get,
                new QuotaCheck(tenant -> new Quotas(quotas), tenant -> elsewhere));
    }

    private NodeSlots slots(int runs, int waitingMax, int tenantWaitingMax) {
        return new NodeSlots(
                new Capacity(runs, Capacity.UNLIMITED, Capacity.UNLIMITED),
                waitingMax,
                tenantWaitingMax,
                drain,
                nanos::get,
                QuotaCheck.NONE);
    }

    private Answer offer(NodeSlots slots, String... runs) {
        return IntStream.range(0, runs.length)
                .mapToObj(n -> slots.offer(claim(runs[n], SMALL), QUEUE).answer())
                .reduce((before, last) -> last)
                .orElseThrow();
    }

    private NodeSlots.Claim claim(String run, Capacity asked) {
        return new NodeSlots.Claim(
                id(run),
                new Tenant(run.substring(0, 1)),
                asked,
                ONE,
                Seniority.NEW,
                since(run),
                run,
                () -> turns.add(run));
    }

    private NodeSlots.Claim claim(String run, Seniority seniority) {
        return new NodeSlots.Claim(
                id(run), new Tenant(run.substring(0, 1)), SMALL, ONE, seniority, since(run), run, () -> turns.add(run));
    }

    private NodeSlots.Claim claimIn(String run, String shard) {
        return new NodeSlots.Claim(
                id(run),
                new Tenant(run.substring(0, 1)),
                SMALL,
                ONE,
                Seniority.NEW,
                since(run),
                shard,
                () -> turns.add(run));
    }

    /** The number in a run's name is its time of submission. */
    private static Instant since(String run) {
        return NOON.plusSeconds(Integer.parseInt(run.substring(1)));
    }

    private List<Integer> positions(NodeSlots slots, String... runs) {
        return List.of(runs).stream()
                .map(run -> slots.position(id(run)).orElseThrow().position())
                .toList();
    }

    private RunId id(String run) {
        return ids.computeIfAbsent(run, any -> new RunId("01j%023d".formatted(ids.size())));
    }
}
