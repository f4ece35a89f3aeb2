package dev.vivarium.node.http.server;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.BidiShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.stream.stage.AbstractInOutHandler;
import org.apache.pekko.stream.stage.AsyncCallback;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;

/**
 * Closes useless connections. Pekko HTTP's idle timeout cannot do this: every byte restarts it, and it must not close
 * the silent stream of a waiting client.
 *
 * <ul>
 *   <li>No request is in progress and none arrives in time: clients that send nothing, or the head of a request byte by
 * byte, cannot occupy all connections for ever. A request is in progress from the end of its head to the end of its
 * response: its body has its own time limit, and a stream may be silent for long.
 * <li>The client has closed its side. Nearly always it is gone, which would only show when something is sent to it, and
 * a silent run may send nothing for hours. The rare client that still reads gets the same time for its request in
 * progress.
 * </ul>
 *
 * <p>And answers that have to wait do so here ({@link AnswerWaits}): nothing but the connection keeps them, and it is one without a
 * request in progress meanwhile, which makes room for others.
 */
final class RequestWait extends GraphStage<BidiShape<HttpRequest, HttpRequest, HttpResponse, HttpResponse>> {
    private static final String PATIENCE = "patience";
    private static final String TURN = "turn";

    /** Ends a stream whose client has closed its side. */
    private static final class ClientGone extends RuntimeException {
        ClientGone() {
            super("The client has closed its side of the connection.", null, false, false);
        }
    }

    private final Duration limit;
    private final OpenConnections.Place place;
    private final Duration retryAfter;
    private final Inlet<HttpRequest> requestIn = Inlet.create("RequestWait.requestIn");
    private final Outlet<HttpRequest> requestOut = Outlet.create("RequestWait.requestOut");
    private final Inlet<HttpResponse> responseIn = Inlet.create("RequestWait.responseIn");
    private final Outlet<HttpResponse> responseOut = Outlet.create("RequestWait.responseOut");

    /**
     * @param limit the time for the complete head of the next request
     * @param retryAfter when a client may try again whose request is in progress when its connection has to end
     */
    RequestWait(Duration limit, Duration retryAfter, OpenConnections.Place place) {
        this.limit = limit;
        this.place = place;
        this.retryAfter = retryAfter;
    }

    @Override
    public BidiShape<HttpRequest, HttpRequest, HttpResponse, HttpResponse> shape() {
        return BidiShape.of(requestIn, requestOut, responseIn, responseOut);
    }

    @Override
    public GraphStageLogic createLogic(Attributes attributes) {
        return new Logic();
    }

    private final class Logic extends TimerGraphStageLogic {
        private final AsyncCallback<HttpResponse> streamEnded = createAsyncCallback(response -> answered());
        private final SharedKillSwitch streams = KillSwitches.shared("connection");
        /** One for each request in progress, in order: that its client is gone. */
        private final Deque<CompletableFuture<Done>> underWay = new ArrayDeque<>();

        private Optional<HttpResponse> waiting = Optional.empty();
        private boolean leaving;
        /** Whether the oldest request in progress has an answer that streams. */
        private boolean streaming;

        Logic() {
            super(RequestWait.this.shape());
            setHandlers(requestIn, requestOut, new Requests());
            setHandlers(responseIn, responseOut, new Responses());
        }

        @Override
        public void preStart() {
            // A response may still stream after all ports are closed, and only this stage can end it then.
            setKeepGoing(true);
            scheduleOnce(PATIENCE, place.isCrowded() ? OpenConnections.CROWDED_WAIT : limit);
            place.servedBy(new OpenConnections.Requester() {
                private final AsyncCallback<Runnable> own = createAsyncCallback(Runnable::run);

                @Override
                public void leave() {
                    own.invoke(Logic.this::leave);
                }

                @Override
                public void cutOff() {
                    own.invoke(Logic.this::cutOff);
                }

                @Override
                public void gone() {
                    own.invoke(Logic.this::cutOff);
                }
            });
        }

        @Override
        public void postStop() {
            underWay.forEach(gone -> gone.complete(Done.getInstance()));
            place.leaving();
        }

        @Override
        public void onTimer(Object key) {
            if (key.equals(TURN)) {
                answerWaiting();
            } else {
                cutOff();
            }
        }

        private void answerWaiting() {
            cancelTimer(TURN);
            Optional<HttpResponse> answer = waiting;
            waiting = Optional.empty();
            answer.ifPresent(this::answer);
        }

        private void answer(HttpResponse response) {
            if (response.entity().isStrict()) {
                push(responseOut, response);
                answered();
            } else {
                streaming = true;
                push(responseOut, observed(response));
            }
        }

        private void end() {
            streams.abort(new ClientGone());
            completeStage();
        }

        private void leave() {
            leaving = true;
            answerWaiting();
            stopAfterTheLast();
        }

        private void cutOff() {
            // HTTP takes it for a defect when a request gets no answer at all.
            if (underWay.isEmpty() || streaming || isClosed(responseOut)) {
                end();
            } else {
                HttpResponse last = waiting.orElseGet(this::late);
                waiting = Optional.empty();
                emit(responseOut, last, this::end);
            }
        }

        private HttpResponse late() {
            return StandardHeaders.on(Answers.retryLater(
                    ProblemType.DRAINING,
                    "The connection ended before the node could answer; the operation may or may not have been done.",
                    retryAfter));
        }

        private void answered() {
            streaming = false;
            underWay.poll();
            if (underWay.isEmpty()) {
                place.answered();
                if (!isClosed(requestIn)) {
                    scheduleOnce(PATIENCE, limit);
                }
            }
            stopAfterTheLast();
        }

        private void stopAfterTheLast() {
            if (underWay.isEmpty() && (leaving || isClosed(responseIn))) {
                completeStage();
            }
        }

        private final class Requests extends AbstractInOutHandler {
            @Override
            public void onPush() {
                CompletableFuture<Done> gone = new CompletableFuture<>();
                underWay.add(gone);
                cancelTimer(PATIENCE);
                push(requestOut, place.begin(new ClientPresence(gone).of(grab(requestIn))));
            }

            @Override
            public void onUpstreamFinish() {
                complete(requestOut);
                scheduleOnce(PATIENCE, limit);
            }

            @Override
            public void onPull() {
                if (!isClosed(requestIn)) {
                    pull(requestIn);
                }
            }

            @Override
            public void onDownstreamFinish(Throwable cause) {
                cancel(requestIn, cause);
            }
        }

        private final class Responses extends AbstractInOutHandler {
            @Override
            public void onPush() {
                HttpResponse response = grab(responseIn);
                Duration wait = AnswerWaits.of(response);
                if (wait.isZero() || place.isCrowded() || leaving) {
                    answer(response);
                } else {
                    place.answered();
                    waiting = Optional.of(response);
                    scheduleOnce(TURN, wait);
                }
            }

            @Override
            public void onUpstreamFinish() {
                if (waiting.isEmpty()) {
                    complete(responseOut);
                    stopAfterTheLast();
                }
            }

            @Override
            public void onPull() {
                if (!isClosed(responseIn)) {
                    pull(responseIn);
                }
            }

            @Override
            public void onDownstreamFinish(Throwable cause) {
                cancel(responseIn, cause);
                if (!streaming) {
                    end();
                }
            }
        }

        private HttpResponse observed(HttpResponse response) {
            return response.withEntity(HttpEntities.createChunked(
                    response.entity().getContentType(),
                    response.entity().getDataBytes().via(streams.flow()).watchTermination((materialized, end) -> {
                        end.whenComplete((done, failure) -> streamEnded.invoke(response));
                        return materialized;
                    })));
        }
    }
}
