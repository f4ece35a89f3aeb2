package dev.vivarium.node.cli;

import dev.vivarium.client.ApiClient;
import dev.vivarium.client.ApiException;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.Terminal;
import java.io.InterruptedIOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The effect of Ctrl-C on a run that is being followed: the first one cancels it, even before the run is accepted; the
 * second one stops following it.
 */
final class Cancellation {
    private final ApiClient client;
    private final Terminal terminal;

    private @Nullable String run;
    private Wish wish = Wish.GO_ON;

    private enum Wish {
        GO_ON,
        CANCEL
    }

    Cancellation(ApiClient client, Terminal terminal) {
        this.client = client;
        this.terminal = terminal;
    }

    /** Called by the thread that listens to signals. */
    void interrupted(int count) {
        String known;
        synchronized (this) {
            wish = Wish.CANCEL;
            known = run;
        }
        if (count > 1) {
            terminal.note("leaving the run alone" + (known == null ? "." : "; see `vivarium show " + known + "`."));
            // The main thread may be anywhere, also in a read that cannot be interrupted.
            Runtime.getRuntime().halt(ExitCode.INTERRUPTED);
        }
        if (known == null) {
            terminal.note("cancelling the run as soon as it is accepted; Ctrl-C again leaves it alone.");
        } else {
            terminal.note("cancelling run " + known + "; Ctrl-C again leaves it alone.");
            cancel(known);
        }
    }

    /** The run exists from now on. */
    void accepted(String id) {
        Wish wished;
        synchronized (this) {
            run = id;
            wished = wish;
        }
        if (wished == Wish.CANCEL) {
            cancel(id);
        }
    }

    /** The run, once it exists. */
    synchronized Optional<String> run() {
        return Optional.ofNullable(run);
    }

    /** The exit code after the run's end. */
    synchronized int exitCode(RunView ended) {
        boolean ours = wish == Wish.CANCEL && ended.status() == RunStatus.CANCELLED;
        return ours ? ExitCode.INTERRUPTED : ExitCode.of(ended);
    }

    private void cancel(String id) {
        try {
            client.cancel(id);
        } catch (ApiException | InterruptedIOException failure) {
            terminal.note("the run could not be cancelled: " + failure.getMessage());
        }
    }
}
