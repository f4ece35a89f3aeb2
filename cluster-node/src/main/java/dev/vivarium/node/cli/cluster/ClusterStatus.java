package dev.vivarium.node.cli.cluster;

import dev.vivarium.client.ApiClient.Health;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The current states of a local cluster's members.
 *
 * @param rows the nodes by number, and the store
 */
public record ClusterStatus(List<Row> rows) {
    public ClusterStatus {
        rows = List.copyOf(rows);
    }

    /** The state of a member. */
    public enum State {
        /** It is ready. */
        READY,
        /** It answers, and is not ready. */
        ALIVE,
        /** It is running and does not answer: it is starting, stopping, or failing. */
        SILENT,
        /** It is stopped by SIGSTOP. */
        FROZEN,
        /** It is not running. */
        GONE;

        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * One member.
     *
     * @param address its address
     * @param pid its process id, while it is running
     * @param runs the number of runs with a slot on it, if a node can report it
     */
    public record Row(String member, String address, OptionalLong pid, State state, OptionalInt runs, String log) {}

    /** Checks all members. */
    public static ClusterStatus of(LocalCluster cluster) throws ClusterProblem, IOException, InterruptedException {
        ClusterPlan plan = cluster.plan();
        List<Row> rows = new ArrayList<>();
        Optional<Map<String, Integer>> runs = Optional.empty();
        for (int number = 1; number <= plan.nodes(); number++) {
            Member node = cluster.node(number);
            NodeProbe probe = cluster.probe(plan, number);
            State state = state(node, probe);
            if (state == State.READY && runs.isEmpty()) {
                runs = probe.runs();
            }
            rows.add(row(node, plan.api(number).toString(), state));
        }
        Member store = cluster.store();
        State state = idle(store).orElseGet(() -> Ports.accepts(plan.storePort()) ? State.READY : State.SILENT);
        Map<String, Integer> counted = runs.orElse(Map.of());
        boolean known = runs.isPresent();
        List<Row> complete = new ArrayList<>(rows.stream()
                .map(row -> known ? withRuns(row, counted.getOrDefault(row.member(), 0)) : row)
                .toList());
        complete.add(row(store, "127.0.0.1:" + plan.storePort(), state));
        return new ClusterStatus(complete);
    }

    private static Row row(Member member, String address, State state) {
        return new Row(
                member.name(),
                address,
                member.process().map(process -> OptionalLong.of(process.pid())).orElse(OptionalLong.empty()),
                state,
                OptionalInt.empty(),
                member.log().toString());
    }

    private static Row withRuns(Row row, int runs) {
        return new Row(row.member(), row.address(), row.pid(), row.state(), OptionalInt.of(runs), row.log());
    }

    private static State state(Member node, NodeProbe probe) throws InterruptedException {
        Optional<State> idle = idle(node);
        if (idle.isPresent()) {
            return idle.get();
        }
        Health health = probe.health();
        return switch (health) {
            case READY -> State.READY;
            case ALIVE -> State.ALIVE;
            case SILENT -> State.SILENT;
        };
    }

    /** The state of a member that need not be asked; empty otherwise. */
    private static Optional<State> idle(Member member) {
        if (member.process().isEmpty()) {
            return Optional.of(State.GONE);
        }
        return member.isFrozen() ? Optional.of(State.FROZEN) : Optional.empty();
    }
}
