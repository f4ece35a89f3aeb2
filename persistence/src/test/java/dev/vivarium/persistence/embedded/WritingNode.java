package dev.vivarium.persistence.embedded;

import com.typesafe.config.ConfigFactory;
import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.RunWriter;
import dev.vivarium.protocol.run.RunId;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A node's process for tests that kill it: writes events of some runs endlessly, and prints a line for each acknowledged
 * one. First line: {@code server <pid>}.
 */
public final class WritingNode {
    private WritingNode() {}

    /** Arguments: the data directory and the number of runs. */
    public static void main(String[] arguments) {
        EmbeddedStore store = EmbeddedStore.open(Path.of(arguments[0]));
        System.out.println("server " + store.serverProcess().pid());
        ActorSystem.create(
                guardian(Integer.parseInt(arguments[1])),
                "writing-node",
                store.journalConfig().withFallback(ConfigFactory.load()));
    }

    private static Behavior<Void> guardian(int runs) {
        return Behaviors.setup(context -> {
            for (int n = 1; n <= runs; n++) {
                RunId run = Fixtures.run(n);
                ActorRef<RunWriter.Next> writer = context.spawn(RunWriter.of(run), "writer-" + n);
                context.spawn(driver(run, writer), "driver-" + n);
            }
            return Behaviors.empty();
        });
    }

    private static Behavior<Long> driver(RunId run, ActorRef<RunWriter.Next> writer) {
        return Behaviors.setup(context -> {
            next(context, writer);
            return Behaviors.receiveMessage(seq -> {
                if (seq >= 0) {
                    System.out.println("ack " + run + " " + seq);
                }
                next(context, writer);
                return Behaviors.same();
            });
        });
    }

    /** Repeats a write that was lost in an outage. */
    private static void next(ActorContext<Long> context, ActorRef<RunWriter.Next> writer) {
        writer.tell(new RunWriter.Next(context.getSelf()));
        context.setReceiveTimeout(Duration.ofSeconds(1), -1L);
    }
}
