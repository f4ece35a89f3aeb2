package dev.vivarium.persistence.cassandra;

import com.datastax.oss.driver.api.core.cql.Row;
import dev.vivarium.persistence.cassandra.Cassandra.Cql;
import dev.vivarium.persistence.cassandra.Cassandra.Verdict;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.KeptData.Deletion;
import dev.vivarium.persistence.store.KeptData.Kind;
import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The order of a tenant's hold and of deletions of its data, which are in other partitions. A deletion first writes itself into
 * the row of the tenant, by a condition that there is neither a hold nor another deletion; then it is carried out, and taken out
 * of the row. Whoever finds one there carries it out too before going on, whether its node is slow or gone: it was decided, it
 * may be half done, and once it is done whole, a repetition that comes late finds nothing to delete. So where a row has a hold
 * and no deletion, none is to come.
 */
final class DeletionTurns {
    /** How often a turn is tried for while others take theirs. */
    private static final int TRIES_MAX = 64;

    private static final String BEGIN =
            "UPDATE retention_hold SET deletion = ? WHERE tenant = ? IF deletion = null AND put_at = null";
    private static final String END = "UPDATE retention_hold SET deletion = null WHERE tenant = ? IF deletion = ?";
    private static final String HOLD =
            "UPDATE retention_hold SET reason = ?, put_by = ?, put_at = ? WHERE tenant = ? IF deletion = ?";

    private final Cassandra cassandra;
    private final Predicate<Deleting> work;

    /**
     * What a deletion is of.
     *
     * @param kind its names are stored
     */
    record Deleting(Kind kind, RunId run) {
        /** As the row has it. */
        String text() {
            return kind + " " + run;
        }

        static Deleting parse(String text) {
            int space = text.indexOf(' ');
            return new Deleting(Kind.valueOf(text.substring(0, space)), new RunId(text.substring(space + 1)));
        }
    }

    /** @param work deletes, and says whether there was anything; it can be repeated */
    DeletionTurns(Cassandra cassandra, Predicate<Deleting> work) {
        this.cassandra = cassandra;
        this.work = work;
    }

    /** Deletes, unless the tenant is held. Blocks. */
    Deletion delete(Tenant tenant, Deleting deleting) {
        String what = "delete the " + deleting.kind() + " of run " + deleting.run();
        for (int i = 0; i < TRIES_MAX; i++) {
            Verdict verdict = change(what, new Cql(BEGIN, deleting.text(), tenant.name()));
            if (verdict.isApplied()) {
                return carryOut(tenant, deleting) ? Deletion.DELETED : Deletion.NOTHING;
            }
            if (verdict.row().filter(row -> row.getInstant("put_at") != null).isPresent()) {
                return Deletion.HELD;
            }
            underWay(verdict).ifPresent(other -> carryOut(tenant, other));
        }
        throw new StoreUnavailable(
                "The store cannot " + what + ": others delete what is of tenant " + tenant + " at the same time.");
    }

    /** Puts a hold, after which no deletion comes. Blocks. */
    void hold(LegalHold hold) {
        Optional<Deleting> before = Optional.empty();
        for (int i = 0; i < TRIES_MAX; i++) {
            Verdict verdict = change(
                    "put a legal hold",
                    new Cql(
                            HOLD,
                            hold.reason().orElse(null),
                            hold.putBy().toString(),
                            hold.putAt(),
                            hold.tenant().name(),
                            before.map(Deleting::text).orElse(null)));
            if (verdict.isApplied()) {
                before.ifPresent(deleting -> carryOut(hold.tenant(), deleting));
                return;
            }
            before = underWay(verdict);
        }
        throw new StoreUnavailable("The store cannot put a legal hold: data of tenant " + hold.tenant()
                + " is being deleted again and again. Try once more.");
    }

    private boolean carryOut(Tenant tenant, Deleting deleting) {
        boolean deleted = work.test(deleting);
        // Where this does not apply, somebody else has carried it out meanwhile.
        change("end a deletion", new Cql(END, tenant.name(), deleting.text()));
        return deleted;
    }

    private Verdict change(String what, Cql change) {
        return Cassandra.await(cassandra.ifSo(what, List.of(change)));
    }

    private static Optional<Deleting> underWay(Verdict refused) {
        return refused.row().map(DeletionTurns::deletion).map(Deleting::parse);
    }

    private static @Nullable String deletion(Row row) {
        return row.getString("deletion");
    }
}
