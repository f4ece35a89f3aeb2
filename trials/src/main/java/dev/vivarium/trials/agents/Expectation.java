package dev.vivarium.trials.agents;

import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.protocol.run.StartFailure;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The expected result of an agent. Omitted parts may have any value.
 *
 * @param status the expected status
 * @param reason the expected reason of a kill
 * @param exitCode the expected exit code
 * @param failure the expected reason why it never ran
 * @param or an alternative
 */
public record Expectation(
        RunStatus status,
        Optional<KillReason> reason,
        Optional<Integer> exitCode,
        Optional<StartFailure.Kind> failure,
        Optional<Expectation> or) {
    private static final String OR = " or ";
    private static final Pattern EXIT = Pattern.compile("exit (\\d{1,3})");

    /**
     * Parses an expectation, the inverse of {@link #words}: {@code SUCCEEDED}, {@code FAILED exit 7},
     * {@code FAILED IMAGE_REFUSED}, {@code KILLED MEMORY}, {@code KILLED PIDS or KILLED MEMORY}.
     *
     * @throws IllegalArgumentException if the words are no expectation
     */
    public static Expectation parse(String words) {
        int or = words.lastIndexOf(OR);
        if (or > 0) {
            Expectation last = parseOne(words.substring(or + OR.length()));
            return last.orAs(parse(words.substring(0, or)));
        }
        return parseOne(words);
    }

    private static Expectation parseOne(String words) {
        String[] parts = words.split(" ", 2);
        RunStatus status = RunStatus.valueOf(parts[0]);
        String detail = parts.length < 2 ? "" : parts[1];
        return switch (status) {
            case SUCCEEDED -> requireNone(
                    detail,
                    new Expectation(status, Optional.empty(), Optional.of(0), Optional.empty(), Optional.empty()));
            case KILLED -> new Expectation(
                    status,
                    Optional.of(KillReason.valueOf(detail)),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty());
            case FAILED -> failed(detail);
            default -> throw new IllegalArgumentException("no agent is expected to end as " + status);
        };
    }

    private Expectation orAs(Expectation first) {
        return new Expectation(status, reason, exitCode, failure, Optional.of(first));
    }

    private static Expectation requireNone(String detail, Expectation expectation) {
        if (!detail.isEmpty()) {
            throw new IllegalArgumentException("nothing may follow " + expectation.status);
        }
        return expectation;
    }

    private static Expectation failed(String detail) {
        Matcher exit = EXIT.matcher(detail);
        return exit.matches()
                ? new Expectation(
                        RunStatus.FAILED,
                        Optional.empty(),
                        Optional.of(Integer.parseInt(exit.group(1))),
                        Optional.empty(),
                        Optional.empty())
                : new Expectation(
                        RunStatus.FAILED,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of(StartFailure.Kind.valueOf(detail)),
                        Optional.empty());
    }

    /** Whether the run's result is as expected. */
    public boolean isMetBy(RunView run) {
        return or.filter(other -> other.isMetBy(run)).isPresent()
                || (run.status() == status
                        && (reason.isEmpty() || reason.equals(run.reason()))
                        && (exitCode.isEmpty() || exitCode.equals(run.exitCode()))
                        && (failure.isEmpty() || failure.equals(run.failure().map(StartFailure::kind))));
    }

    /** In the words of the API, such as {@code KILLED MEMORY}. */
    public String words() {
        String own = words(status, reason, exitCode, failure);
        return or.map(other -> other.words() + OR + own).orElse(own);
    }

    /** The result of a run, in the same words. */
    static String wordsOf(RunView run) {
        return words(run.status(), run.reason(), run.exitCode(), run.failure().map(StartFailure::kind));
    }

    private static String words(
            RunStatus status,
            Optional<KillReason> reason,
            Optional<Integer> exitCode,
            Optional<StartFailure.Kind> failure) {
        String detail = reason.map(Enum::toString)
                .or(() -> failure.map(Enum::toString))
                .or(() -> exitCode.filter(code -> status == RunStatus.FAILED).map(code -> "exit " + code))
                .orElse("");
        return (status + " " + detail).strip();
    }
}
