package dev.vivarium.protocol.api;

import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunStatus;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What a webhook is sent, in the form of Standard Webhooks. Neither output nor secrets.
 *
 * @param id the message's name, which stays the same when it is sent again
 * @param type {@code run.started}, {@code run.warning} or {@code run.ended}
 * @param timestamp when it happened
 * @param data what happened
 */
public record WebhookBody(String id, String type, Instant timestamp, Data data) {
    /**
     * What happened to a run.
     *
     * @param state the run's status after it
     * @param reason why Vivarium ended it, if it did
     * @param attempt the attempt, from 1; 0 when there was none
     * @param exitCode the agent's exit code, when it exited by itself
     * @param measurement the time used and the limit, of a warning
     */
    public record Data(
            RunId run,
            Tenant tenant,
            Map<String, String> labels,
            RunStatus state,
            Optional<KillReason> reason,
            int attempt,
            Optional<Integer> exitCode,
            Optional<Measurement> measurement) {}
}
