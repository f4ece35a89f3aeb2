package dev.vivarium.loadtests.history;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An agent's heartbeat, by its own clock; its output consists of them.
 *
 * @param attempt the attempt, from the agent's environment
 * @param number the heartbeat's number, from 1
 * @param at its time
 */
public record Tick(int attempt, int number, Instant at) {
    private static final long NANOS = 1_000_000_000L;
    private static final Pattern SHAPE = Pattern.compile("<([0-9]{1,6}):([0-9]{1,9}):([0-9]{1,19})>");

    /**
     * An agent that prints its attempt, a number and its clock the given number of times. The newline before each
     * terminates a line that an earlier attempt left incomplete.
     */
    static final String AGENT =
            """
            import os, sys, time
            attempt = os.environ['VIVARIUM_ATTEMPT']
            for number in range(1, int(os.environ['TICKS']) + 1):
                sys.stdout.write('\\n<%s:%d:%d>' % (attempt, number, time.time_ns()))
                sys.stdout.flush()
                time.sleep(int(os.environ['EVERY_MILLIS']) / 1000)
            sys.exit(int(os.environ['EXIT']))
            """;

    /** The agent's output for it. */
    public String printed() {
        return "\n<" + attempt + ":" + number + ":" + (at.getEpochSecond() * NANOS + at.getNano()) + ">";
    }

    /** The parsed output: heartbeats, and anything unexpected between them. */
    public record Output(List<Tick> ticks, List<String> strangeness) {}

    /**
     * Parses output. An incomplete line of a dead attempt is expected; anything else that is not a heartbeat is not.
     */
    public static Output read(String output) {
        List<Tick> ticks = new ArrayList<>();
        List<String> strangeness = new ArrayList<>();
        Matcher found = SHAPE.matcher(output);
        int end = 0;
        while (found.find()) {
            Tick tick = new Tick(
                    Integer.parseInt(found.group(1)), Integer.parseInt(found.group(2)), instant(found.group(3)));
            boolean begins = tick.number == 1;
            String between = output.substring(end, found.start());
            if (!between.isBlank() && !begins) {
                strangeness.add(between.strip());
            }
            ticks.add(tick);
            end = found.end();
        }
        return new Output(ticks, strangeness);
    }

    private static Instant instant(String nanos) {
        long value = Long.parseLong(nanos);
        return Instant.ofEpochSecond(value / NANOS, value % NANOS);
    }
}
