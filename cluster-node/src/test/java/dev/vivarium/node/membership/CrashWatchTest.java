package dev.vivarium.node.membership;

import static dev.vivarium.node.membership.PeersTest.life;
import static dev.vivarium.node.membership.PeersTest.seen;

import dev.vivarium.node.membership.PortProbe.Answer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.cluster.UniqueAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CrashWatchTest {
    private static final Duration INTERVAL = Duration.ofMillis(500);

    private final ActorTestKit kit = ActorTestKit.create(ManualTime.config());
    private final ManualTime time = ManualTime.get(kit.system());
    private final TestProbe<UniqueAddress> asked = kit.createTestProbe();
    private final TestProbe<UniqueAddress> givenUp = kit.createTestProbe();
    private final Map<UniqueAddress, Answer> answers = new ConcurrentHashMap<>();

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    @Test
    void aPeerWhosePortIsClosedTwiceIsGivenUp() {
        watch();
        answers.put(life(3), Answer.REFUSED);

        round(2);
        givenUp.expectNoMessage();
        round(2);

        givenUp.expectMessage(life(3));
    }

    @Test
    void aPeerThatIsBackAtTheSecondProbeIsNotGivenUp() {
        watch();
        answers.put(life(3), Answer.REFUSED);
        round(2);
        answers.put(life(3), Answer.LISTENS);
        round(2);
        answers.put(life(3), Answer.REFUSED);
        round(2);

        givenUp.expectNoMessage();
    }

    @Test
    void aSilentMachineIsLeftToTheFailureDetector() {
        watch();
        answers.put(life(3), Answer.SILENT);

        round(2);
        round(2);
        round(2);

        givenUp.expectNoMessage();
    }

    @Test
    void aNodeInAMinorityGivesUpNoPeer() {
        watch();
        answers.put(life(2), Answer.REFUSED);
        answers.put(life(3), Answer.REFUSED);

        round(2);
        round(2);
        round(2);

        givenUp.expectNoMessage();
    }

    private void watch() {
        Peers peers = new Peers(life(1), List.of(seen(1), seen(2), seen(3)));
        kit.spawn(CrashWatch.create(
                INTERVAL,
                () -> peers,
                peer -> {
                    // Read before the test sees the probe and changes the answer for the next one.
                    Answer answer = answers.getOrDefault(peer, Answer.LISTENS);
                    asked.ref().tell(peer);
                    return CompletableFuture.completedStage(answer);
                },
                peer -> givenUp.ref().tell(peer)));
    }

    /** One round of probes: this many peers are probed and have answered. */
    private void round(int peers) {
        time.timePasses(INTERVAL);
        for (int asked = 0; asked < peers; asked++) {
            this.asked.receiveMessage();
        }
    }
}
