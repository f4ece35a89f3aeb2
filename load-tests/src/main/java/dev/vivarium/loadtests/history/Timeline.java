package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.Driver;
import dev.vivarium.protocol.run.RunEvent;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Everything observed about one run, from all sources, in order of time. */
public final class Timeline {
    private static final DateTimeFormatter CLOCK =
            DateTimeFormatter.ofPattern("HH:mm:ss.SSS").withZone(ZoneOffset.UTC);

    private Timeline() {}

    private record Line(Instant at, String side, String text) {
        String print() {
            return String.format("%s  %-7s  %s", CLOCK.format(at), side, text);
        }
    }

    /** The timeline of one run, with the faults in that time. */
    public static String of(Trial trial, String run) {
        List<Line> lines = new ArrayList<>();
        Optional<Journal> journal = Optional.ofNullable(trial.journals().get(run));
        journal.ifPresent(kept -> {
            kept.entries().forEach(entry -> lines.add(new Line(entry.event().at(), "journal", line(entry))));
            ticks(kept, lines);
        });
        trial.exchanges().stream()
                .filter(exchange -> isAbout(exchange, run, journal.flatMap(Journal::key)))
                .forEach(exchange -> lines.add(new Line(
                        exchange.answered(),
                        "client",
                        exchange.line() + " (asked " + CLOCK.format(exchange.asked()) + ")")));
        trial.sandboxes().stream()
                .filter(sandbox -> sandbox.run().equals(run))
                .forEach(sandbox -> sandbox(sandbox, lines));
        Optional<Instant> first = lines.stream().map(Line::at).min(Comparator.naturalOrder());
        Optional<Instant> last = lines.stream().map(Line::at).max(Comparator.naturalOrder());
        trial.marks().stream()
                .filter(mark -> first.isPresent()
                        && !mark.at().isBefore(first.get().minusSeconds(30))
                        && !mark.at().isAfter(last.orElseThrow()))
                .forEach(mark -> lines.add(new Line(mark.at(), "cluster", mark.text())));
        lines.sort(Comparator.comparing(Line::at));
        StringBuilder text = new StringBuilder("run " + run
                + journal.flatMap(Journal::key)
                        .map(key -> ", submitted under " + key)
                        .orElse("")
                + journal.map(kept -> ", is " + kept.shown()).orElse(" and not in the journal")
                + "\n");
        lines.forEach(line -> text.append("  ").append(line.print()).append('\n'));
        return text.toString();
    }

    private static boolean isAbout(Exchange exchange, String run, Optional<String> key) {
        return key.equals(Optional.of(exchange.key()))
                || (exchange.answer() instanceof Exchange.Accepted accepted
                        && accepted.run().equals(run));
    }

    private static String line(Journal.Entry entry) {
        String attempt = entry.event() instanceof RunEvent.AttemptStarting starting
                ? " of attempt " + starting.attempt()
                : entry.event() instanceof RunEvent.AttemptInterrupted interrupted
                        ? " of attempt " + interrupted.attempt() + ", " + interrupted.cause() + ": "
                                + interrupted.detail()
                        : entry.event() instanceof RunEvent.Terminal terminal
                                ? " in attempt " + terminal.attempt()
                                : "";
        return entry.seq() + " " + entry.type() + attempt + " by "
                + entry.event().node();
    }

    /** Each attempt's first and last heartbeat. */
    private static void ticks(Journal journal, List<Line> lines) {
        List<Tick> ticks = Tick.read(journal.output()).ticks();
        for (int at = 0; at < ticks.size(); at++) {
            Tick tick = ticks.get(at);
            boolean last = at == ticks.size() - 1 || ticks.get(at + 1).attempt() != tick.attempt();
            if (last || tick.number() == 1) {
                lines.add(new Line(
                        tick.at(), "agent", "sign of life " + tick.number() + " of attempt " + tick.attempt()));
            }
        }
    }

    private static void sandbox(SandboxLife sandbox, List<Line> lines) {
        String id = sandbox.id();
        // The part of a container's id that the engine's own client shows.
        String shown = sandbox.driver() == Driver.DOCKER ? id.substring(0, Math.min(12, id.length())) : id;
        String what = " " + shown + " of attempt " + sandbox.attempt() + " on " + sandbox.node();
        lines.add(new Line(sandbox.started(), "outside", "started" + what));
        sandbox.ended().ifPresent(end -> lines.add(new Line(end, "outside", "ended" + what)));
    }
}
