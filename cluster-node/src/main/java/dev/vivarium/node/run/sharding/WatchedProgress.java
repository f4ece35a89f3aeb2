package dev.vivarium.node.run.sharding;

import dev.vivarium.node.run.Run;
import dev.vivarium.node.run.Runs.Interest;
import dev.vivarium.node.run.Runs.Progress;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.SourceShape;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;
import scala.runtime.BoxedUnit;

/**
 * Watches a run: asks it to send its progress, and again every few seconds, which finds it wherever it has moved or been
 * recovered since. Holds one progress for a slow reader, and adds later ones to it. Completes after the run's end.
 */
final class WatchedProgress extends GraphStage<SourceShape<Progress>> {
    private static final String AGAIN = "again";

    private final Outlet<Progress> out = Outlet.create("WatchedProgress.out");
    private final Consumer<Run.Watch> run;
    private final Interest interest;
    private final Duration interval;
    private final int heldBytesMax;

    /**
     * The stage.
     *
     * @param run sends a message to the run
     * @param interval between two requests
     * @param heldBytesMax the most output that is held for a slow reader
     */
    WatchedProgress(Consumer<Run.Watch> run, Interest interest, Duration interval, int heldBytesMax) {
        this.run = run;
        this.interest = interest;
        this.interval = interval;
        this.heldBytesMax = heldBytesMax;
    }

    @Override
    public SourceShape<Progress> shape() {
        return SourceShape.of(out);
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    private final class Logic extends TimerGraphStageLogic {
        private Optional<Progress> held = Optional.empty();

        Logic() {
            super(WatchedProgress.this.shape());
            setHandler(out, new AbstractOutHandler() {
                @Override
                public void onPull() {
                    passOn();
                }
            });
        }

        @Override
        public void preStart() {
            getStageActor(received -> {
                if (received._2() instanceof Progress progress) {
                    held = Optional.of(held.map(earlier -> earlier.and(progress, heldBytesMax))
                            .orElse(progress));
                    passOn();
                }
                return BoxedUnit.UNIT;
            });
            watch();
            scheduleWithFixedDelay(AGAIN, interval, interval);
        }

        @Override
        public void onTimer(Object key) {
            watch();
        }

        private void watch() {
            run.accept(new Run.Watch(Adapter.toTyped(stageActor().ref()), interest));
        }

        private void passOn() {
            if (held.isEmpty() || !isAvailable(out)) {
                return;
            }
            Progress progress = held.get();
            held = Optional.empty();
            push(out, progress);
            if (progress.life() == Progress.Life.ENDED) {
                completeStage();
            }
        }
    }
}
