package dev.vivarium.persistence.store;

import com.typesafe.config.Config;
import dev.vivarium.persistence.audit.AuditLog;
import dev.vivarium.persistence.journal.RunJournal;
import dev.vivarium.persistence.secrets.NamedSecrets;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.persistence.secrets.TokenSeal;
import dev.vivarium.persistence.secrets.WebhookSeal;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.time.Duration;
import java.util.Optional;

/**
 * The durable state of a node. A node opens its store before the actor system, whose configuration the store completes,
 * and closes it afterwards.
 */
public interface Store extends AutoCloseable {
    /**
     * The permanent name of the installation that the store belongs to, shared by exactly the nodes that share the
     * store. A ULID in lower case.
     */
    String installation();

    /** The configuration that makes the actor system's journal this store's; takes precedence over everything else. */
    Config journalConfig();

    RunJournal journal();

    OutputStore output();

    RunIndex runs();

    /** The events of all runs in one order. */
    AuditLog audit();

    SecretVault secrets();

    /** The secrets that tenants keep for their runs. */
    NamedSecrets namedSecrets();

    /** Contents of files, and anything else too large for an event. */
    BlobStore blobs();

    RunFiles files();

    /** What remains of runs that have ended. */
    KeptData keptData();

    /** Runs that have ended; empty for a store that cannot delete events. */
    default Optional<EndedRuns> endedRuns() {
        return Optional.empty();
    }

    /** Legal holds of tenants. */
    HoldStore holds();

    ClaimedKeys idempotencyKeys();

    TenantStore tenants();

    TokenStore tokens();

    /** How the installation's tokens are made and recognized. */
    TokenSeal tokenSeal();

    /** What has to be sent to webhooks. */
    WebhookStore webhooks();

    /** How the installation signs what it sends to webhooks. */
    WebhookSeal webhookSeal();

    RememberedRuns rememberedRuns();

    /** The cluster that owns the store; empty for a store that only one node can use. */
    Optional<StoreOwnership> clusterHold();

    /**
     * The id of a run that this node has generated a moment ago and told nobody: its journal is empty, and its entity need
     * not look. Holds for one recovery within a second; a store may ignore it.
     */
    default void willBegin(RunId run) {}

    /**
     * A run's state after its event with this number, which is durable. It saves the list of runs from reading what its
     * node has just written; a store may ignore it.
     */
    default void know(RunState.Existing run, long seq) {}

    /** How stale {@link #runs} may be; normally about a tenth of a second. */
    Duration projectionLag();

    /**
     * How many runs {@link #runs} shows out of date because this version cannot read one of their events. Every node
     * that starts retries them, and so does each from time to time.
     */
    int unreadableRuns();

    /** Closes all parts in order of their dependencies; returns when they are closed. */
    @Override
    void close();
}
