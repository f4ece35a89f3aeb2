package dev.vivarium.loadtests;

import dev.vivarium.loadtests.report.Punctuality;
import dev.vivarium.loadtests.subject.EndWatch;
import dev.vivarium.loadtests.subject.EngineApi;
import dev.vivarium.loadtests.subject.InFlight;
import dev.vivarium.loadtests.subject.Manner;
import dev.vivarium.loadtests.subject.TimedCommand;
import dev.vivarium.loadtests.subject.TimedDockerRuns;
import dev.vivarium.loadtests.subject.TimedRuns;
import dev.vivarium.loadtests.subject.TimedRunsOfVivarium;
import dev.vivarium.loadtests.subject.VivariumApi;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vivarium bench kill-precision}. */
@Command(
        name = "kill-precision",
        description = {
            "How late after its deadline a run's last process is gone, with many live runs.",
            "All deadlines are in the same second; some runs are polite, some ignore SIGTERM, some are stopped, some have"
                    + " daemons. Compared with `timeout` around `docker run`. Ends are read from the kernel's"
                    + " process counts."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class KillPrecisionCommand implements Callable<Integer> {
    private static final String VIVARIUM = "Vivarium: wallClock";
    private static final String TIMEOUT = "timeout docker run";
    private static final List<Manner> MANNERS = List.of(Manner.values());
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration TRIAL_MAX = Duration.ofMinutes(10);
    private static final double NANOS_PER_MILLI = 1e6;

    @Mixin
    private final Setting setting = new Setting();

    @Mixin
    private final NodeOption node = new NodeOption();

    @Option(names = "--runs", defaultValue = "200", description = "Concurrent runs (default: ${DEFAULT-VALUE}).")
    private int runs = 200;

    @Option(
            names = "--in-flight",
            defaultValue = "4",
            description = "How many are started concurrently (default: ${DEFAULT-VALUE}).")
    private int inFlight = 4;

    @Option(
            names = "--lead",
            paramLabel = "SECONDS",
            defaultValue = "0",
            description = "Time from the first start to the deadline (default: as long as the starts will take).")
    private long leadSeconds;

    @Option(
            names = "--look",
            paramLabel = "MILLISECONDS",
            defaultValue = "5",
            description = "Pause between two scans of all processes (default: ${DEFAULT-VALUE}).")
    private long lookMillis = 5;

    @Option(names = "--only-vivarium", description = "Skips docker run.")
    private boolean onlyVivarium;

    @Override
    public Integer call() throws IOException {
        if (runs < 1 || inFlight < 1 || leadSeconds < 0 || lookMillis < 1) {
            throw setting.refusal("--runs, --in-flight and --look are at least 1, and --lead is not negative.");
        }
        EngineApi engine = setting.engine();
        setting.print("docker   " + TimedDockerRuns.line(setting.image()) + "\n");
        try (NodeOption.Lease lease = node.lease(setting);
                TimedRuns vivarium = new TimedRunsOfVivarium(new VivariumApi(lease.uri()), engine, setting.image())) {
            setting.print(measure(VIVARIUM, vivarium));
        }
        if (!onlyVivarium) {
            try (TimedRuns docker = new TimedDockerRuns(engine, setting.image())) {
                setting.print(measure(TIMEOUT, docker));
            }
        }
        setting.printLoad();
        return 0;
    }

    private String measure(String subject, TimedRuns timed) throws IOException {
        Duration lead = lead(subject, timed);
        setting.progress(subject + ": starting " + runs + ", all to end in " + lead.toSeconds() + " s");
        long aim = System.nanoTime() + lead.toNanos();
        List<TimedCommand> condemned =
                InFlight.all(runs, inFlight, index -> timed.start(MANNERS.get(index % MANNERS.size()), aim));
        if (System.nanoTime() - aim > 0) {
            throw new IOException("The deadline passed before all had started; allow more time with --lead.");
        }
        EndWatch.Seen seen = EndWatch.watch(condemned, Duration.ofMillis(lookMillis), PATIENCE);
        String heading = "\n" + subject + ": the " + runs + " deadlines lie within " + spreadMillis(condemned) + " ms, "
                + inBusiestSecond(condemned) + " of them within one second\n";
        for (TimedCommand one : condemned) {
            one.close();
        }
        return heading + table(subject, seen) + "they say: " + timed.verdicts() + "\n";
    }

    private static String table(String subject, EndWatch.Seen seen) {
        Punctuality punctuality = new Punctuality();
        for (Manner manner : MANNERS) {
            count(subject + ", " + manner.name().toLowerCase(Locale.ROOT), manner, seen, punctuality);
        }
        for (Manner manner : MANNERS) {
            count(subject + ", all", manner, seen, punctuality);
        }
        return punctuality.table();
    }

    /** Estimates from the first starts how long all will take, and ends those first ones. */
    private Duration lead(String subject, TimedRuns timed) throws IOException {
        if (leadSeconds > 0) {
            return Duration.ofSeconds(leadSeconds);
        }
        int few = Math.min(runs, 4 * inFlight);
        long began = System.nanoTime();
        long aim = began + TRIAL_MAX.toNanos();
        for (TimedCommand one : InFlight.all(few, inFlight, index -> timed.start(Manner.POLITE, aim))) {
            one.close();
        }
        double secondsEach = (System.nanoTime() - began) / 1e9 / few;
        timed.clear();
        setting.progress(String.format(Locale.ROOT, "%s: %.1f starts a second", subject, 1 / secondsEach));
        return Duration.ofSeconds(Math.round(secondsEach * runs * 1.6 + 15));
    }

    private static void count(String group, Manner manner, EndWatch.Seen seen, Punctuality punctuality) {
        seen.lateness().forEach((one, late) -> {
            if (one.manner() == manner) {
                punctuality.ended(group, late, seen.atLeast().getOrDefault(one, late));
            }
        });
        seen.alive().stream().filter(one -> one.manner() == manner).forEach(one -> punctuality.alive(group));
    }

    private static long spreadMillis(List<TimedCommand> condemned) {
        long first =
                condemned.stream().mapToLong(TimedCommand::deadlineNanos).min().orElseThrow();
        long last =
                condemned.stream().mapToLong(TimedCommand::deadlineNanos).max().orElseThrow();
        return Math.round((last - first) / NANOS_PER_MILLI);
    }

    private static long inBusiestSecond(List<TimedCommand> condemned) {
        long second = Duration.ofSeconds(1).toNanos();
        return condemned.stream()
                .mapToLong(TimedCommand::deadlineNanos)
                .map(first -> condemned.stream()
                        .mapToLong(one -> one.deadlineNanos() - first)
                        .filter(after -> after >= 0 && after < second)
                        .count())
                .max()
                .orElseThrow();
    }
}
