package dev.vivarium.protocol.act;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.auth.Origin;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.auth.TokenId;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.SecretName;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Webhook;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An administrative act, or something that became of a node. Each is journaled by itself, as a chain of one entry, and has its
 * place in the order over the events of all runs. What somebody asked for is recorded before it is carried out, so an act
 * that then failed, as a lost store makes it, is recorded all the same. Acts outlive the code: rename or change one only
 * together with its version in the journal's codec.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = Act.NodeJoined.class, name = "NodeJoined"),
    @JsonSubTypes.Type(value = Act.NodeDrained.class, name = "NodeDrained"),
    @JsonSubTypes.Type(value = Act.NodeRemoved.class, name = "NodeRemoved"),
    @JsonSubTypes.Type(value = Act.SandboxesReaped.class, name = "SandboxesReaped"),
    @JsonSubTypes.Type(value = Act.DataDeleted.class, name = "DataDeleted"),
    @JsonSubTypes.Type(value = Act.RunsDeleted.class, name = "RunsDeleted"),
    @JsonSubTypes.Type(value = Act.RunDataDeleted.class, name = "RunDataDeleted"),
    @JsonSubTypes.Type(value = Act.BlobDeleted.class, name = "BlobDeleted"),
    @JsonSubTypes.Type(value = Act.TokenCreated.class, name = "TokenCreated"),
    @JsonSubTypes.Type(value = Act.TokenRevoked.class, name = "TokenRevoked"),
    @JsonSubTypes.Type(value = Act.QuotasSet.class, name = "QuotasSet"),
    @JsonSubTypes.Type(value = Act.WebhookSet.class, name = "WebhookSet"),
    @JsonSubTypes.Type(value = Act.WebhookKeyMade.class, name = "WebhookKeyMade"),
    @JsonSubTypes.Type(value = Act.SecretPut.class, name = "SecretPut"),
    @JsonSubTypes.Type(value = Act.SecretRemoved.class, name = "SecretRemoved"),
    @JsonSubTypes.Type(value = Act.HoldPut.class, name = "HoldPut"),
    @JsonSubTypes.Type(value = Act.HoldRemoved.class, name = "HoldRemoved"),
    @JsonSubTypes.Type(value = Act.LogExported.class, name = "LogExported"),
    @JsonSubTypes.Type(value = Act.LogCheckBegun.class, name = "LogCheckBegun"),
})
public sealed interface Act {
    /** When it was done, by the recording node's clock. */
    Instant at();

    /** The node that recorded it. */
    String node();

    /** An act that somebody asked for. */
    sealed interface Asked extends Act {
        /** The principal that did. */
        Principal by();
    }

    /** An act of a request, which therefore came from somewhere. */
    sealed interface Requested extends Asked {
        /** Where its request came from. */
        Origin origin();
    }

    /** An act that concerns one tenant, whose auditors see it. */
    sealed interface OfTenant extends Requested {
        /** That tenant. */
        Tenant tenant();
    }

    /**
     * A node has started and is a member of the cluster; one that is alone is a cluster of its own.
     *
     * @param address host and port of the cluster's protocol; empty for a node alone
     */
    record NodeJoined(Instant at, String node, Optional<String> address) implements Act {}

    /** A node takes no new runs, and ends when those that it has are over. */
    record NodeDrained(Instant at, String node, Principal by) implements Asked {}

    /**
     * A node is no member any more; recorded by the oldest of those that are left.
     *
     * @param removed its name
     * @param address host and port of the cluster's protocol
     */
    record NodeRemoved(Instant at, String node, String removed, String address, Removal removal) implements Act {}

    /** How a node's membership ended. */
    enum Removal {
        /** It left by itself. */
        LEFT,
        /** The cluster gave it up, since it could not be reached. */
        GIVEN_UP
    }

    /**
     * The node has destroyed sandboxes that belonged to nobody: those of a node that died, or of an actor that did.
     *
     * @param count how many
     * @param sandboxes their names, 100 at most
     */
    record SandboxesReaped(Instant at, String node, int count, List<String> sandboxes) implements Act {
        /** How many are named. */
        public static final int NAMED_MAX = 100;

        public SandboxesReaped {
            sandboxes = sandboxes.stream().limit(NAMED_MAX).toList();
        }
    }

    /**
     * A node has deleted what had been kept of a tenant's runs for long enough.
     *
     * @param runs how many runs had some
     * @param kept for how long it had been kept at least after their end
     */
    record DataDeleted(Instant at, String node, Tenant tenant, Data data, int runs, TimeSpan kept) implements Act {}

    /** What is kept of runs beside their events. */
    enum Data {
        /** What they printed. */
        OUTPUT,
        /** The files that were kept of them. */
        ARTIFACTS
    }

    /** Somebody had what was kept of a run deleted before its time was over. */
    record RunDataDeleted(Instant at, String node, Principal by, Origin origin, Tenant tenant, RunId run, Data data)
            implements OfTenant {}

    /** Somebody had a content of a tenant deleted that no run had. */
    record BlobDeleted(Instant at, String node, Principal by, Origin origin, Tenant tenant, Digest digest)
            implements OfTenant {}

    /**
     * A node deletes runs of a tenant with their events, and all else that is kept of them. Recorded before it is done, so a
     * hold that is put in between keeps what is named here.
     *
     * @param kept for how long they had been kept at least after their end
     * @param positions of their events in the order, whose hashes the log goes on to have
     */
    record RunsDeleted(
            Instant at, String node, Tenant tenant, TimeSpan kept, Positions positions, List<DeletedRun> runs)
            implements Act {
        /** How many are in one act at most. */
        public static final int RUNS_MAX = 100;

        public RunsDeleted {
            runs = List.copyOf(runs);
        }
    }

    /**
     * A run that was deleted.
     *
     * @param events how many events it had
     * @param head the hash of the last one, in hexadecimal: who has kept them proves by it that they are these
     */
    record DeletedRun(RunId run, long events, String head) {}

    /**
     * A token was made.
     *
     * @param token its id; the token itself is nowhere
     * @param replaces the one that it was made to replace
     */
    record TokenCreated(
            Instant at,
            String node,
            Principal by,
            Origin origin,
            Tenant tenant,
            TokenId token,
            String name,
            Role role,
            Instant expiresAt,
            Optional<TokenId> replaces)
            implements OfTenant {}

    /**
     * A token was ended before its time.
     *
     * @param endsAt from when on it is refused
     */
    record TokenRevoked(
            Instant at, String node, Principal by, Origin origin, Tenant tenant, TokenId token, Instant endsAt)
            implements OfTenant {}

    /**
     * Quotas of a tenant were set.
     *
     * @param amounts by the name of a quota, in its unit; {@link Quota#UNLIMITED} for none
     * @param reset the names of those that follow the configuration again
     */
    record QuotasSet(
            Instant at,
            String node,
            Principal by,
            Origin origin,
            Tenant tenant,
            Map<String, Long> amounts,
            List<String> reset)
            implements OfTenant {
        public QuotasSet {
            amounts = Map.copyOf(amounts);
            reset = List.copyOf(reset);
        }
    }

    /**
     * The webhook of a tenant's submissions that name none was set.
     *
     * @param webhook empty for none
     */
    record WebhookSet(Instant at, String node, Principal by, Origin origin, Tenant tenant, Optional<Webhook> webhook)
            implements OfTenant {}

    /**
     * A key for signatures of a tenant's webhooks was made.
     *
     * @param key its name; the secret is nowhere
     */
    record WebhookKeyMade(Instant at, String node, Principal by, Origin origin, Tenant tenant, String key)
            implements OfTenant {}

    /**
     * A value was put under the name of a tenant's secret.
     *
     * @param version the version that it became
     */
    record SecretPut(
            Instant at, String node, Principal by, Origin origin, Tenant tenant, SecretName secret, long version)
            implements OfTenant {}

    /** A tenant's secret was removed, with all that is kept of its values. */
    record SecretRemoved(Instant at, String node, Principal by, Origin origin, Tenant tenant, SecretName secret)
            implements OfTenant {}

    /**
     * A tenant was put under a legal hold, or its hold was given another reason: nothing that is kept of its runs is deleted.
     *
     * @param reason why
     */
    record HoldPut(Instant at, String node, Principal by, Origin origin, Tenant tenant, Optional<String> reason)
            implements OfTenant {}

    /** A tenant's legal hold was removed: what is kept of its runs is deleted again when its time is over. */
    record HoldRemoved(Instant at, String node, Principal by, Origin origin, Tenant tenant) implements OfTenant {}

    /**
     * A range of the order of all events was handed out.
     *
     * @param tenants the tenants whose events it has; all when none is named
     * @param from the first position
     * @param to the position after the last one
     */
    record LogExported(Instant at, String node, Principal by, Origin origin, List<String> tenants, long from, long to)
            implements Requested {
        public LogExported {
            tenants = List.copyOf(tenants);
        }
    }

    /** Somebody had the whole log checked. */
    record LogCheckBegun(Instant at, String node, Principal by, Origin origin) implements Requested {}
}
