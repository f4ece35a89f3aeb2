package dev.vivarium.trials.abuse;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.protocol.api.OutputChunkView;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.trials.agents.Agent;
import dev.vivarium.trials.agents.AgentRun;
import dev.vivarium.trials.agents.Expectation;
import dev.vivarium.trials.agents.Stage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The well-behaved run beside the payloads: twenty times a second it uses a little of the processor, of files and of
 * output, and prints how long that took. When one has finished the next one starts, so that there is always one.
 */
final class Neighbour {
    /** The number of ticks for a meaningful mean. */
    static final int TICKS_MIN = 3;

    private static final Agent WORKER = new Agent(
            "neighbour",
            "works steadily, and prints how long it took",
            List.of("python3", "lib/neighbour.py"),
            List.of("lib/neighbour.py"),
            "neighbour",
            List.of("NEIGHBOUR_KEY"),
            EgressPolicy.none(),
            Map.of(
                    "cpu", TextNode.valueOf("500m"),
                    "memory", TextNode.valueOf("64Mi"),
                    "disk", TextNode.valueOf("16Mi"),
                    "wallClock", TextNode.valueOf("2m")),
            Expectation.parse("SUCCEEDED"));

    private static final Pattern TICK = Pattern.compile("tick (\\d+(?:\\.\\d+)?)");

    private final ApiClient client;
    private final Stage stage;
    private final List<AgentRun> runs = new ArrayList<>();
    /** Durations in milliseconds by time of arrival at the node, and a number, since two may arrive together. */
    private final ConcurrentSkipListMap<TickKey, Double> ticks = new ConcurrentSkipListMap<>();

    private record TickKey(Instant at, long number) implements Comparable<TickKey> {
        @Override
        public int compareTo(TickKey other) {
            int order = at.compareTo(other.at);
            return order != 0 ? order : Long.compare(number, other.number);
        }
    }

    Neighbour(ApiClient client, Stage stage) {
        this.client = client;
        this.stage = stage;
    }

    /** Starts the next one when the last one has finished. */
    void keepGoing() throws ApiException, IOException {
        if (runs.isEmpty() || last().isOver()) {
            AgentRun next = AgentRun.submit(client, WORKER, stage);
            next.listen(client, this::hear);
            runs.add(next);
        } else {
            last().look(client);
        }
    }

    /** Lets the last one finish; returns whether it has. */
    boolean hasFinished() throws ApiException, IOException {
        if (!runs.isEmpty()) {
            last().look(client);
        }
        return runs.isEmpty() || last().isOver();
    }

    private AgentRun last() {
        return runs.get(runs.size() - 1);
    }

    private synchronized void hear(OutputChunkView chunk) {
        Matcher tick = TICK.matcher(new String(chunk.data().toByteArray(), StandardCharsets.UTF_8));
        while (tick.find()) {
            ticks.put(new TickKey(chunk.time(), ticks.size()), Double.parseDouble(tick.group(1)));
        }
    }

    /** The isolation class that the node uses for it, and for the payloads too. */
    Isolation isolation() {
        return last().view().spec().isolation();
    }

    int ticksHeard() {
        return ticks.size();
    }

    /** The mean duration of a tick between two instants; empty if there were too few. */
    OptionalDouble meanMillis(Instant from, Instant to) {
        var between = ticks.subMap(new TickKey(from, 0), new TickKey(to, Long.MAX_VALUE))
                .values();
        return between.size() < TICKS_MIN
                ? OptionalDouble.empty()
                : between.stream().mapToDouble(Double::doubleValue).average();
    }

    List<AgentRun> runs() {
        return List.copyOf(runs);
    }

    boolean allSucceeded() {
        return runs.stream().allMatch(run -> run.agent().expect().isMetBy(run.view()));
    }
}
