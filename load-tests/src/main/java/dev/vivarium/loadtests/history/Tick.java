package dev.vivarium.loadtests.history;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A sign of life of an agent, in its own words and by its own clock: what its output is made of.
 *
 * @param attempt which attempt the agent was told that it is
 * @param number the number of the sign, from 1
 * @param at when
 */
public record Tick(int attempt, int number, Instant at) {
    private static final long NANOS = 1_000_000_000L;
    private static final Pattern SHAPE = Pattern.compile("<([0-9]{1,6}):([0-9]{1,9}):([0-9]{1,19})>");

    /**
     * An agent that prints its attempt, a number and its clock so many times. The line break before each lets a line that
     * an earlier attempt could not end, end.
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

    /** As the agent prints it. */
    public String printed() {
        return "\n<" + attempt + ":" + number + ":" + (at.getEpochSecond() * NANOS + at.getNano()) + ">";
    }

    /** Output as it was read: the signs of life, and what else was between them. */
    public record Output(List<Tick> ticks, List<String> strangeness) {}

    /** Reads output. What a dead attempt has left unfinished is not strange; anything else that is no sign of life is. */
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
