package dev.vivarium.trials.abuse;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.trials.agents.AgentRun;
import dev.vivarium.trials.agents.Report;
import dev.vivarium.trials.agents.Stage;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/**
 * Runs payloads against one node, several at a time, beside a {@link Neighbour} that has worked alone before. Works step
 * by step, so that its caller can wait and show progress in between.
 */
public final class Trial {
    /** Two seconds of the neighbour alone. */
    private static final int BASELINE_TICKS = 40;
    /** In addition to its wall clock limit, for creating and destroying its sandbox on a busy machine. */
    private static final Duration PATIENCE = Duration.ofSeconds(90);

    private final ApiClient client;
    private final HostileImages images;
    private final Stage stage;
    private final int atOnce;
    private final Clock clock;
    private final Neighbour neighbour;
    private final Deque<Payload> waiting;
    private final List<Live> live = new ArrayList<>();
    private final List<Report.Result> results = new ArrayList<>();
    private OptionalDouble aloneMillis = OptionalDouble.empty();

    private record Live(AgentRun run, Keeping keeping, Optional<HostileImage> image, Instant giveUpAt) {}

    /**
     * @param stage the folder and the image of the payloads
     * @param atOnce how many run concurrently; with a single one the neighbour's slow-down is caused by that payload
     */
    public Trial(ApiClient client, HostileImages images, Stage stage, List<Payload> payloads, int atOnce, Clock clock) {
        this.client = client;
        this.images = images;
        this.stage = stage;
        this.atOnce = atOnce;
        this.clock = clock;
        this.neighbour = new Neighbour(client, stage);
        this.waiting = new ArrayDeque<>(payloads);
    }

    /**
     * Polls the runs, and performs the next step.
     *
     * @param ended receives each payload that has ended
     * @return whether there is more to do
     */
    public boolean step(Consumer<Report.Result> ended) throws ApiException, IOException {
        boolean payloadsLeft = !waiting.isEmpty() || !live.isEmpty();
        if (!payloadsLeft) {
            return !neighbour.hasFinished();
        }
        neighbour.keepGoing();
        if (aloneMillis.isEmpty()) {
            if (neighbour.ticksHeard() < BASELINE_TICKS) {
                return true;
            }
            aloneMillis = neighbour.meanMillis(Instant.EPOCH, clock.instant());
        }
        for (Live payload : List.copyOf(live)) {
            look(payload, ended);
        }
        while (live.size() < atOnce && !waiting.isEmpty()) {
            start(waiting.remove().in(neighbour.isolation()));
        }
        return true;
    }

    private void start(Payload payload) throws ApiException, IOException {
        Optional<HostileImage> image =
                payload.image().isNone() ? Optional.empty() : Optional.of(images.make(stage.image(), payload));
        AgentRun run = AgentRun.submit(
                client,
                payload.agent(),
                image.map(made -> stage.withImage(made.name())).orElse(stage),
                payload.keeping().patterns());
        run.listen(client);
        live.add(new Live(run, payload.keeping(), image, clock.instant().plus(PATIENCE)));
    }

    private void look(Live payload, Consumer<Report.Result> ended) throws ApiException, IOException {
        payload.run.look(client);
        if (!payload.run.isOver()) {
            if (clock.instant().isAfter(payload.giveUpAt)) {
                client.cancel(payload.run.view().id().value());
            }
            return;
        }
        live.remove(payload);
        if (payload.image.isPresent()) {
            images.remove(payload.image.get());
        }
        Report.Result result = Report.Result.of(payload.run, slowDown(payload.run), objection(payload));
        results.add(result);
        ended.accept(result);
    }

    private Optional<String> objection(Live payload) throws ApiException, IOException {
        return payload.keeping.patterns().isEmpty()
                ? Optional.empty()
                : payload.keeping.objection(
                        client.artifacts(payload.run.view().id().value()));
    }

    private OptionalDouble slowDown(AgentRun run) {
        Instant end = run.view().finishedAt().orElseGet(clock::instant);
        OptionalDouble mean = neighbour.meanMillis(run.view().startedAt().orElse(end), end);
        return mean.isPresent() && aloneMillis.isPresent()
                ? OptionalDouble.of(mean.getAsDouble() / aloneMillis.getAsDouble())
                : OptionalDouble.empty();
    }

    /** The currently running payloads, and the neighbour. */
    public List<AgentRun> onStage() {
        List<AgentRun> runs = new ArrayList<>(neighbour.runs());
        if (runs.size() > 1) {
            runs.subList(0, runs.size() - 1).clear();
        }
        live.forEach(payload -> runs.add(payload.run));
        return runs;
    }

    public List<Report.Result> results() {
        return List.copyOf(results);
    }

    /** All runs of neighbours. */
    public List<AgentRun> neighbours() {
        return neighbour.runs();
    }

    /** Whether every neighbour has completed its work. */
    public boolean allNeighboursSucceeded() {
        return neighbour.allSucceeded();
    }

    /** How long a tick of the neighbour took while it ran alone. */
    public OptionalDouble aloneMillis() {
        return aloneMillis;
    }
}
