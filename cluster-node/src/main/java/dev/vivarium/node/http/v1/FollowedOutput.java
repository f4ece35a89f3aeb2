package dev.vivarium.node.http.v1;

import dev.vivarium.node.run.Runs.Progress;
import dev.vivarium.persistence.store.OutputChunk;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.AbstractInOutHandler;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;

/**
 * Turns a run's progress into its output, from an offset on. What comes with a progress and continues what was passed on
 * is passed on at once: it is in the store, so a read would find the same. Everything else is read.
 *
 * <p>Level-triggered: it only knows how far it has come; any progress beyond makes it read on from there until it is
 * reached, so no signal can be lost. It holds one progress or one read in memory, and takes the next when the client has
 * consumed this one.
 */
final class FollowedOutput extends GraphStage<FlowShape<Progress, OutputChunk>> {
    private final Inlet<Progress> in = Inlet.create("FollowedOutput.in");
    private final Outlet<OutputChunk> out = Outlet.create("FollowedOutput.out");
    private final Read store;
    private final long from;

    /** Reads stored chunks from the one that contains or follows an offset; none at the end. */
    interface Read {
        CompletionStage<List<OutputChunk>> from(long offset);
    }

    FollowedOutput(Read store, long from) {
        this.store = store;
        this.from = from;
    }

    @Override
    public FlowShape<Progress, OutputChunk> shape() {
        return FlowShape.of(in, out);
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    private final class Logic extends GraphStageLogic {
        private final AsyncCallback<Answer> answers = createAsyncCallback(this::onRead);
        private long position = from;
        /** Whether a progress is being worked off. */
        private Work work = Work.NONE;

        private enum Work {
            NONE,
            UNDER_WAY
        }

        /** What a read came to, and the progress that asked for it. */
        private record Answer(Progress progress, List<OutputChunk> chunks, Optional<Throwable> failure) {}

        Logic() {
            super(FollowedOutput.this.shape());
            setHandlers(in, out, new AbstractInOutHandler() {
                @Override
                public void onPush() {
                    work = Work.UNDER_WAY;
                    Progress progress = grab(in);
                    passOn(continuing(progress.output()), progress);
                }

                @Override
                public void onPull() {
                    // Chunks are emitted when they are there, and wait for their turn.
                }

                @Override
                public void onUpstreamFinish() {
                    if (work == Work.NONE) {
                        completeStage();
                    }
                }
            });
        }

        @Override
        public void preStart() {
            pull(in);
        }

        /** What of these chunks continues, without a gap, what was passed on. */
        private List<OutputChunk> continuing(List<OutputChunk> chunks) {
            List<OutputChunk> next = new ArrayList<>();
            long reached = position;
            for (OutputChunk chunk : chunks) {
                if (chunk.offset() <= reached && reached < chunk.end()) {
                    next.add(chunk);
                    reached = chunk.end();
                }
            }
            return next;
        }

        private void passOn(List<OutputChunk> chunks, Progress progress) {
            if (!chunks.isEmpty()) {
                position = chunks.get(chunks.size() - 1).end();
            }
            emitMultiple(out, chunks.iterator(), () -> goOn(progress));
        }

        private void goOn(Progress progress) {
            if (isReached(progress)) {
                done();
                return;
            }
            store.from(position)
                    .whenComplete((chunks, failure) -> answers.invoke(
                            new Answer(progress, failure == null ? chunks : List.of(), Optional.ofNullable(failure))));
        }

        /** After the run's end only the store tells that there is no more. */
        private boolean isReached(Progress progress) {
            OptionalLong end = progress.outputEnd();
            return progress.life() == Progress.Life.LIVE && end.isPresent() && end.getAsLong() <= position;
        }

        private void onRead(Answer answer) {
            if (answer.failure.isPresent()) {
                failStage(answer.failure.get());
            } else if (answer.chunks.isEmpty()) {
                done();
            } else {
                passOn(answer.chunks, answer.progress);
            }
        }

        private void done() {
            work = Work.NONE;
            if (isClosed(in)) {
                completeStage();
            } else {
                pull(in);
            }
        }
    }
}
