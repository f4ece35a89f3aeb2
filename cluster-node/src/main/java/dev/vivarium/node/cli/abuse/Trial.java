package dev.vivarium.node.cli.abuse;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.node.cli.trial.AgentRun;
import dev.vivarium.node.cli.trial.Report;
import dev.vivarium.node.cli.trial.Stage;
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
 * Payloads against one node, so many at once, with a {@link Neighbour} beside them that worked alone before. Step by
 * step, so that its caller waits and shows between the steps.
 */
public final class Trial {
    /** Two seconds of a neighbour alone. */
    private static final int BASELINE_TICKS = 40;
    /** Beyond its own wall clock, for making and destroying its sandbox on a machine that is busy. */
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

    private record Live(AgentRun run, Optional<HostileImage> image, Instant giveUpAt) {}

    /**
     * @param stage the folder of the payloads, and the image that they run in
     * @param atOnce how many run at the same time; with one alone the neighbour's slow-down is that payload's doing
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
     * Takes a look, and does what is due.
     *
     * @param ended hears of each payload that has ended
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
                image.map(made -> stage.withImage(made.name())).orElse(stage));
        run.listen(client);
        live.add(new Live(run, image, clock.instant().plus(PATIENCE)));
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
        Report.Result result = Report.Result.of(payload.run, slowDown(payload.run));
        results.add(result);
        ended.accept(result);
    }

    private OptionalDouble slowDown(AgentRun run) {
        Instant end = run.view().finishedAt().orElseGet(clock::instant);
        OptionalDouble mean = neighbour.meanMillis(run.view().startedAt().orElse(end), end);
        return mean.isPresent() && aloneMillis.isPresent()
                ? OptionalDouble.of(mean.getAsDouble() / aloneMillis.getAsDouble())
                : OptionalDouble.empty();
    }

    /** The payloads that run now, and the neighbour. */
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

    /** Whether each neighbour did its work to the end, whatever went on beside it. */
    public boolean allNeighboursSucceeded() {
        return neighbour.allSucceeded();
    }

    /** How long a tick of the neighbour took while nobody was beside it. */
    public OptionalDouble aloneMillis() {
        return aloneMillis;
    }
}
