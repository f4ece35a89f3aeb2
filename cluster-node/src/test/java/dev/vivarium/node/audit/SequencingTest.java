package dev.vivarium.node.audit;

import com.typesafe.config.ConfigFactory;
import dev.vivarium.protocol.run.RunId;
import java.util.Set;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.Test;

/** What nodes tell the cluster's sequencer. */
class SequencingTest {
    private static final RunId A = new RunId("01jdvwxyz0123456789abcdefg");
    private static final RunId B = new RunId("01jdvwxyz0123456789abcdeff");

    @Test
    void runsAreToldFromNodeToNode() {
        ActorTestKit kit = ActorTestKit.create(
                "sequencing",
                ConfigFactory.parseString("pekko.actor.provider = local").withFallback(ConfigFactory.load()));
        try {
            kit.serializationTestKit().verifySerialization(new Sequencing.Changed(Set.of(A, B)), true);
        } finally {
            kit.shutdownTestKit();
        }
    }
}
