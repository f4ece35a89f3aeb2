package dev.vivarium.loadtests.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.loadtests.subject.Driver;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class FaultPlanTest {
    private static final Set<Fault.Kind> ALL = EnumSet.allOf(Fault.Kind.class);
    private static final Duration HOUR = Duration.ofHours(1);

    @Test
    void theSameSeedGivesTheSamePlanAndTheSameLoad() {
        assertThat(FaultPlan.of(7, 3, ALL, HOUR)).isEqualTo(FaultPlan.of(7, 3, ALL, HOUR));
        assertThat(FaultPlan.of(7, 3, ALL, HOUR).faults())
                .isNotEqualTo(FaultPlan.of(8, 3, ALL, HOUR).faults());
        assertThat(Task.of(7, 2, 5)).isEqualTo(Task.of(7, 2, 5));
        assertThat(load(7)).isNotEqualTo(load(8));
    }

    @Test
    void aLongerPlanBeginsLikeTheShorterOne() {
        List<Fault> brief = FaultPlan.of(7, 3, ALL, Duration.ofMinutes(2)).faults();

        assertThat(FaultPlan.of(7, 3, ALL, HOUR).faults().subList(0, brief.size()))
                .isEqualTo(brief);
    }

    @Test
    void eachKindOccursOnceBeforeAnyIsRepeated() {
        List<Fault> faults = FaultPlan.of(7, 3, ALL, HOUR).faults();

        for (int round = 0; (round + 1) * ALL.size() <= faults.size(); round++) {
            assertThat(faults.subList(round * ALL.size(), (round + 1) * ALL.size()))
                    .extracting(Fault::kind)
                    .containsExactlyInAnyOrderElementsOf(ALL);
        }
    }

    @Test
    void overManySeedsEveryNodeIsHitBrieflyAndForLong() {
        List<Fault> faults = LongStream.range(0, 50)
                .boxed()
                .flatMap(seed -> FaultPlan.of(seed, 3, ALL, Duration.ofMinutes(10)).faults().stream())
                .toList();

        assertThat(faults.stream().filter(fault -> fault.kind().isOfANode()).map(Fault::node))
                .containsOnly(1, 2, 3)
                .contains(1, 2, 3);
        assertThat(faults.stream().filter(fault -> !fault.kind().isOfANode()).map(Fault::node))
                .containsOnly(0);
        assertThat(faults).anyMatch(fault -> fault.lasting().compareTo(Duration.ofMillis(2_500)) < 0);
        assertThat(faults).anyMatch(fault -> fault.lasting().compareTo(Duration.ofSeconds(10)) > 0);
        assertThat(faults).anyMatch(fault -> fault.after() == Fault.After.AT_ONCE);
    }

    @Test
    void overManyStepsClientsPerformEveryAction() {
        Set<Task> tasks = load(7);

        assertThat(tasks.stream().map(Task::kind).collect(Collectors.toSet()))
                .containsExactlyInAnyOrder(Task.Kind.values());
        assertThat(tasks.stream().map(Task::manner).collect(Collectors.toSet()))
                .containsExactlyInAnyOrder(Task.Manner.values());
        assertThat(tasks.stream().map(Task::policy).collect(Collectors.toSet()))
                .containsExactlyInAnyOrder(Task.Policy.values());
        assertThat(tasks.stream().map(Task::key)).doesNotHaveDuplicates();
    }

    @Test
    void onlyNodesWithALauncherLoseIt() {
        assertThat(Fault.Kind.usual(Driver.OCI)).contains(Fault.Kind.LAUNCHER).doesNotContain(Fault.Kind.ENGINE);
        assertThat(Fault.Kind.usual(Driver.DOCKER)).doesNotContain(Fault.Kind.LAUNCHER, Fault.Kind.ENGINE);
    }

    @Test
    void aPlanNeedsAKindOfFault() {
        assertThatThrownBy(() -> FaultPlan.of(7, 3, Set.of(), HOUR)).isInstanceOf(IllegalArgumentException.class);
    }

    private static Set<Task> load(long seed) {
        Set<Task> tasks = new HashSet<>();
        IntStream.range(0, 5)
                .forEach(client -> IntStream.range(0, 40).forEach(step -> tasks.add(Task.of(seed, client, step))));
        return tasks;
    }
}
