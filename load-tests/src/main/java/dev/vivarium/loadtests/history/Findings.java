package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.report.TextTable;
import dev.vivarium.protocol.run.RunEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The result of a trial.
 *
 * @param trial the observations
 * @param violations the violated promises
 */
public record Findings(Trial trial, List<Violation> violations) {
    private static final int TIMELINES_MAX = 20;

    static Findings of(Trial trial) {
        return new Findings(trial, Checker.check(trial));
    }

    /** The observations in figures, which show whether the trial exercised anything. */
    public String figures() {
        TextTable table = new TextTable("seen", "how often");
        counts(trial.exchanges().stream()
                        .filter(exchange -> exchange.ask() != Exchange.Ask.READ)
                        .map(exchange -> exchange.ask() + " answered " + answer(exchange.answer())))
                .forEach((what, count) -> table.row(what, count.toString()));
        counts(trial.journals().values().stream().map(journal -> "run " + journal.shown()))
                .forEach((what, count) -> table.row(what, count.toString()));
        counts(trial.journals().values().stream()
                        .map(Journal::attempts)
                        .map(attempts -> "run of " + attempts + (attempts == 1 ? " attempt" : " attempts")))
                .forEach((what, count) -> table.row(what, count.toString()));
        counts(trial.sandboxes().stream()
                        .map(sandbox ->
                                "sandbox of the driver " + sandbox.driver().word()))
                .forEach((what, count) -> table.row(what, count.toString()));
        table.row(
                "attempt that ran and was not seen from outside",
                Integer.toString(Attempts.unseen(trial).size()));
        counts(trial.journals().values().stream()
                        .flatMap(journal -> journal.entries().stream())
                        .map(Journal.Entry::event)
                        .filter(RunEvent.AttemptInterrupted.class::isInstance)
                        .map(RunEvent.AttemptInterrupted.class::cast)
                        .map(interrupted -> "attempt interrupted, " + interrupted.cause()))
                .forEach((what, count) -> table.row(what, count.toString()));
        counts(trial.losses().stream()
                        .map(loss -> loss.cause() == NodeLoss.Cause.GONE ? "node gone" : "node out of touch"))
                .forEach((what, count) -> table.row(what, count.toString()));
        counts(trial.marks().stream()
                        .filter(mark -> mark.text().startsWith(Breaker.LAUNCHER_KILLED))
                        .map(mark -> "launcher killed"))
                .forEach((what, count) -> table.row(what, count.toString()));
        return table.render() + longest();
    }

    private static String answer(Exchange.Answer answer) {
        if (answer instanceof Exchange.Accepted) {
            return "202";
        }
        return answer instanceof Exchange.Refused refused ? refused.status() + " " + refused.type() : "nothing";
    }

    private static Map<String, Long> counts(Stream<String> words) {
        return words.collect(Collectors.groupingBy(Function.identity(), TreeMap::new, Collectors.counting()));
    }

    /** How close it came to the bounds. */
    private String longest() {
        StringBuilder text = new StringBuilder();
        for (NodeLoss.Cause cause : NodeLoss.Cause.values()) {
            trial.losses().stream()
                    .filter(loss -> loss.cause() == cause)
                    .flatMap(loss -> trial.sandboxes().stream()
                            .filter(sandbox -> sandbox.node().equals(loss.node()))
                            .filter(sandbox -> sandbox.started().isBefore(loss.from()))
                            .map(sandbox -> sandbox.ended().orElse(Instant.MAX))
                            .filter(end -> end.isAfter(loss.from()) && !end.equals(Instant.MAX))
                            .filter(end -> loss.until().map(end::isBefore).orElse(true))
                            .map(end -> Duration.between(loss.from(), end)))
                    .max(Comparator.naturalOrder())
                    .ifPresent(longest -> text.append("a sandbox outlived a node that was ")
                            .append(cause == NodeLoss.Cause.GONE ? "gone" : "out of touch")
                            .append(" by ")
                            .append(longest.toMillis())
                            .append(" ms at most\n"));
        }
        trial.journals().values().stream()
                .map(Findings::longestStandstill)
                .flatMap(Optional::stream)
                .max(Comparator.naturalOrder())
                .ifPresent(longest -> text.append("a run stood still for ")
                        .append(longest.toMillis())
                        .append(" ms at most, from an agent's last sign of life to its successor's first\n"));
        return text.toString();
    }

    private static Optional<Duration> longestStandstill(Journal journal) {
        List<Tick> ticks = Tick.read(journal.output()).ticks();
        return Stream.iterate(1, at -> at < ticks.size(), at -> at + 1)
                .filter(at -> ticks.get(at).attempt() != ticks.get(at - 1).attempt())
                .map(at ->
                        Duration.between(ticks.get(at - 1).at(), ticks.get(at).at()))
                .max(Comparator.naturalOrder());
    }

    /** The violations, with everything observed about the runs concerned. */
    public String complaints() {
        StringBuilder text = new StringBuilder();
        for (Violation violation : violations) {
            text.append("VIOLATION ")
                    .append(violation.invariant())
                    .append(violation.run().map(run -> " by run " + run).orElse(""))
                    .append(": ")
                    .append(violation.what())
                    .append("\n          ")
                    .append(violation.invariant().promise())
                    .append('\n');
        }
        List<String> runs = violations.stream()
                .map(violation -> violation.run().orElse(null))
                .filter(Objects::nonNull)
                .distinct()
                .toList();
        runs.stream().limit(TIMELINES_MAX).forEach(run -> text.append('\n').append(Timeline.of(trial, run)));
        if (runs.size() > TIMELINES_MAX) {
            text.append("\n… and ").append(runs.size() - TIMELINES_MAX).append(" more runs.\n");
        }
        if (!violations.isEmpty() && runs.isEmpty()) {
            trial.marks().forEach(mark -> text.append(mark.at())
                    .append("  ")
                    .append(mark.text())
                    .append('\n'));
        }
        return text.toString();
    }
}
