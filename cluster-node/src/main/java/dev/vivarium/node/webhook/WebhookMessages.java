package dev.vivarium.node.webhook;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.persistence.audit.AuditEntry;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.persistence.store.WebhookStore.Message;
import dev.vivarium.protocol.api.WebhookBody;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.RunStatus;
import dev.vivarium.protocol.run.Webhook;
import dev.vivarium.protocol.run.WebhookEvent;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Which events webhooks are called for, and what they are told. Pure. */
final class WebhookMessages {
    /** The names of the events that matter here. */
    static final Set<String> TYPES = Stream.concat(
                    Stream.of(RunEvent.RunSubmitted.class, RunEvent.AttemptStarted.class, RunEvent.AlarmRaised.class),
                    Arrays.stream(RunEvent.Terminal.class.getPermittedSubclasses()))
            .map(Class::getSimpleName)
            .collect(Collectors.toUnmodifiableSet());

    private WebhookMessages() {}

    /** What a webhook is called for with this event, if for anything. */
    static Optional<WebhookEvent> of(RunEvent event) {
        if (event instanceof RunEvent.AttemptStarted) {
            return Optional.of(WebhookEvent.STARTED);
        }
        if (event instanceof RunEvent.AlarmRaised alarm) {
            return alarm.reason() == KillReason.WALL_CLOCK && alarm.consequence() == RunEvent.Consequence.NOTED
                    ? Optional.of(WebhookEvent.WARNING)
                    : Optional.empty();
        }
        return event instanceof RunEvent.Terminal ? Optional.of(WebhookEvent.ENDED) : Optional.empty();
    }

    /** The name of a message, which stays the same however often it is sent. */
    static String id(Message message) {
        return id(message.run().value(), message.seq());
    }

    private static String id(String run, long seq) {
        return "msg_" + run + "_" + seq;
    }

    /** The message of an event to a run's webhook, unless that is not called for it. */
    static Optional<Message> of(AuditEntry entry, RunEvent event, Webhook webhook) {
        return of(event)
                .filter(webhook.events()::contains)
                .map(kind -> new Message(
                        entry.run(),
                        entry.seq(),
                        new Tenant(entry.tenant()),
                        kind,
                        webhook.url(),
                        json(body(entry, event, kind))));
    }

    private static WebhookBody body(AuditEntry entry, RunEvent event, WebhookEvent kind) {
        return new WebhookBody(
                id(entry.run().value(), entry.seq()),
                "run." + kind,
                event.at(),
                new WebhookBody.Data(
                        entry.run(),
                        new Tenant(entry.tenant()),
                        new TreeMap<>(entry.labels()),
                        event instanceof RunEvent.Terminal end ? RunState.Finished.statusAfter(end) : RunStatus.RUNNING,
                        event instanceof RunEvent.Terminal end ? RunState.Finished.reasonFor(end) : Optional.empty(),
                        attempt(event),
                        exitCode(event),
                        event instanceof RunEvent.AlarmRaised alarm
                                ? Optional.of(alarm.measurement())
                                : Optional.empty()));
    }

    private static int attempt(RunEvent event) {
        if (event instanceof RunEvent.AttemptStarted started) {
            return started.attempt();
        }
        if (event instanceof RunEvent.AlarmRaised alarm) {
            return alarm.attempt();
        }
        return event instanceof RunEvent.Terminal end ? end.attempt() : 0;
    }

    private static Optional<Integer> exitCode(RunEvent event) {
        if (event instanceof RunEvent.RunSucceeded) {
            return Optional.of(0);
        }
        return event instanceof RunEvent.RunFailed failed ? Optional.of(failed.exitCode()) : Optional.empty();
    }

    /** ASCII, with sorted fields: the same bytes each time. */
    private static String json(WebhookBody body) {
        try {
            return JournalJson.MAPPER.writeValueAsString(body);
        } catch (JsonProcessingException defect) {
            throw new IllegalStateException("A message has a JSON form.", defect);
        }
    }
}
