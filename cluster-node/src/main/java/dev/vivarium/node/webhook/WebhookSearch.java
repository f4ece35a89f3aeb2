package dev.vivarium.node.webhook;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.vivarium.persistence.audit.AuditEntry;
import dev.vivarium.persistence.audit.AuditFilter;
import dev.vivarium.persistence.audit.AuditQueries;
import dev.vivarium.persistence.audit.AuditTables.Window;
import dev.vivarium.persistence.audit.Stretch;
import dev.vivarium.persistence.journal.EventCodec;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.journal.UnreadableEntry;
import dev.vivarium.persistence.store.TenantStore;
import dev.vivarium.persistence.store.TenantStore.StoredTenant;
import dev.vivarium.persistence.store.WebhookStore.Message;
import dev.vivarium.protocol.run.RunEvent;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import dev.vivarium.protocol.run.Webhook;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;

/**
 * Finds what webhooks are called for in the order over all events. Only runs of tenants that have a key can have a webhook,
 * and a key is there before the run's first event is; so the order's end is asked for before the tenants are, and where no
 * tenant has a key, all up to that end is passed over unread. Stages fail with {@link
 * dev.vivarium.persistence.journal.StoreUnavailable}.
 */
final class WebhookSearch {
    private static final int EVENTS_AT_A_TIME = 500;
    /** Runs whose webhook is remembered; that of another one is read from its journal once more. */
    private static final int RUNS_MAX = 100_000;

    private static final EventCodec CODEC = EventCodec.standard();

    private final AuditQueries audit;
    private final RunJournal journal;
    private final TenantStore tenants;
    private final Cache<RunId, Optional<Webhook>> webhooks =
            Caffeine.newBuilder().maximumSize(RUNS_MAX).build();

    WebhookSearch(AuditQueries audit, RunJournal journal, TenantStore tenants) {
        this.audit = audit;
        this.journal = journal;
        this.tenants = tenants;
    }

    /**
     * What was found.
     *
     * @param messages the messages, in the order of their events
     * @param to the first position that was not searched
     * @param more whether there was more when it was read
     */
    record Result(List<Message> messages, long to, More more) {
        Result {
            messages = List.copyOf(messages);
        }

        enum More {
            SOME,
            NONE
        }
    }

    /** Searches from a position on, as far as one look goes. */
    CompletionStage<Result> from(long position) {
        return audit.head()
                .thenCompose(head -> head.size() <= position
                        ? CompletableFuture.completedStage(new Result(List.of(), position, Result.More.NONE))
                        : tenants.list().thenCompose(all -> in(new Window(position, head.size()), withKeys(all))));
    }

    private static Set<String> withKeys(List<StoredTenant> all) {
        return all.stream()
                .filter(stored -> !stored.settings().webhooks().keys().isEmpty())
                .map(stored -> stored.tenant().name())
                .collect(Collectors.toUnmodifiableSet());
    }

    private CompletionStage<Result> in(Window window, Set<String> names) {
        if (names.isEmpty()) {
            return CompletableFuture.completedStage(new Result(List.of(), window.to(), Result.More.NONE));
        }
        AuditFilter filter = AuditFilter.ALL
                .with(AuditFilter.Field.TENANT, names)
                .with(AuditFilter.Field.TYPE, WebhookMessages.TYPES);
        return audit.read(filter, window, EVENTS_AT_A_TIME).thenCompose(stretch -> messages(stretch)
                .thenApply(messages -> new Result(
                        messages, stretch.next(), stretch.next() < window.to() ? Result.More.SOME : Result.More.NONE)));
    }

    private CompletionStage<List<Message>> messages(Stretch stretch) {
        CompletionStage<List<Message>> messages = CompletableFuture.completedStage(new ArrayList<>());
        for (AuditEntry entry : stretch.entries()) {
            messages = messages.thenCompose(before -> message(entry).thenApply(found -> {
                found.ifPresent(before::add);
                return before;
            }));
        }
        return messages;
    }

    private CompletionStage<Optional<Message>> message(AuditEntry entry) {
        Optional<RunEvent> event = event(entry);
        if (event.isPresent() && event.get() instanceof RunEvent.RunSubmitted submitted) {
            webhooks.put(entry.run(), submitted.spec().webhook());
            return CompletableFuture.completedStage(Optional.empty());
        }
        if (event.flatMap(WebhookMessages::of).isEmpty()) {
            return CompletableFuture.completedStage(Optional.empty());
        }
        return webhook(entry.run()).thenApply(webhook -> {
            if (event.get() instanceof RunEvent.Terminal) {
                webhooks.invalidate(entry.run());
            }
            return webhook.flatMap(found -> WebhookMessages.of(entry, event.get(), found));
        });
    }

    private CompletionStage<Optional<Webhook>> webhook(RunId run) {
        Optional<Webhook> known = webhooks.getIfPresent(run);
        if (known != null) {
            return CompletableFuture.completedStage(known);
        }
        return journal.state(run).thenApply(state -> {
            Optional<Webhook> read = state instanceof RunState.Existing existing
                    ? existing.submission().spec().webhook()
                    : Optional.empty();
            webhooks.put(run, read);
            return read;
        });
    }

    /** Empty when this version cannot read it; a newer node has then the newer sender, too. */
    private static Optional<RunEvent> event(AuditEntry entry) {
        try {
            return Optional.of(CODEC.decode(entry.entry()));
        } catch (UnreadableEntry newer) {
            return Optional.empty();
        }
    }
}
