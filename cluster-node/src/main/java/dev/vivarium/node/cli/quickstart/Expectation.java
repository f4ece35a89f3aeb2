package dev.vivarium.node.cli.quickstart;

import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.RunStatus;
import java.util.Optional;

/**
 * What an example must come to. What is left out may be anything.
 *
 * @param status where it must end
 * @param reason why it must have been killed
 * @param exitCode what it must have exited with
 */
public record Expectation(RunStatus status, Optional<KillReason> reason, Optional<Integer> exitCode) {
    /** Whether the run came to what was expected. */
    public boolean isMetBy(RunView run) {
        return run.status() == status
                && (reason.isEmpty() || reason.equals(run.reason()))
                && (exitCode.isEmpty() || exitCode.equals(run.exitCode()));
    }

    /** In the words of the API, such as {@code KILLED MEMORY}. */
    public String words() {
        return words(status, reason, exitCode);
    }

    /** What a run has come to, in the same words. */
    static String wordsOf(RunView run) {
        return words(run.status(), run.reason(), run.exitCode());
    }

    private static String words(RunStatus status, Optional<KillReason> reason, Optional<Integer> exitCode) {
        String detail = reason.map(Enum::toString)
                .or(() -> exitCode.filter(code -> status == RunStatus.FAILED).map(code -> "exit " + code))
                .orElse("");
        return (status + " " + detail).strip();
    }
}
