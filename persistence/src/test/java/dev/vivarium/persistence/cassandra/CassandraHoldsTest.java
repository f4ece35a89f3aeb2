package dev.vivarium.persistence.cassandra;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.persistence.Fixtures;
import dev.vivarium.persistence.cassandra.DeletionTurns.Deleting;
import dev.vivarium.persistence.contract.HoldStoreContract;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.persistence.store.HoldStore;
import dev.vivarium.persistence.store.KeptData.Deletion;
import dev.vivarium.persistence.store.KeptData.Kind;
import dev.vivarium.protocol.api.LegalHold;
import dev.vivarium.protocol.auth.Principal;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.RunId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class CassandraHoldsTest extends HoldStoreContract {
    @RegisterExtension
    static final TestStore CASSANDRA = new TestStore();

    private static final Deleting ONE = new Deleting(Kind.OUTPUT, Fixtures.run(1));
    private static final Deleting ANOTHER = new Deleting(Kind.ARTIFACTS, Fixtures.run(2));

    private final Tenant tenant = new Tenant("turns-" + UUID.randomUUID());
    private final List<RunId> deleted = new ArrayList<>();

    /** A node whose deletions are noted. */
    private final DeletionTurns node =
            new DeletionTurns(CASSANDRA.store().cassandra(), what -> deleted.add(what.run()));

    /** A node that loses the store in the middle of a deletion, and does not come back. */
    private final DeletionTurns dying = new DeletionTurns(CASSANDRA.store().cassandra(), what -> {
        throw new StoreUnavailable("The store is away.");
    });

    @Override
    protected HoldStore holds() {
        return CASSANDRA.store().holds();
    }

    @Test
    void aHoldIsPutOnceTheDeletionThatANodeHasLeftIsCarriedOut() {
        assertThatThrownBy(() -> dying.delete(tenant, ONE)).isInstanceOf(StoreUnavailable.class);

        node.hold(hold());

        assertThat(deleted).containsExactly(ONE.run());
        assertThat(node.delete(tenant, ANOTHER)).isEqualTo(Deletion.HELD);
        assertThat(deleted).hasSize(1);
    }

    @Test
    void aHoldThatIsNotPutForTheDeletionBeforeItCanBePutAgain() {
        assertThatThrownBy(() -> dying.delete(tenant, ONE)).isInstanceOf(StoreUnavailable.class);
        assertThatThrownBy(() -> dying.hold(hold())).isInstanceOf(StoreUnavailable.class);

        assertThat(node.delete(tenant, ANOTHER)).isEqualTo(Deletion.HELD);
        node.hold(hold());

        assertThat(deleted).containsExactly(ONE.run());
    }

    @Test
    void aDeletionThatANodeHasLeftIsCarriedOutBeforeTheNext() {
        assertThatThrownBy(() -> dying.delete(tenant, ONE)).isInstanceOf(StoreUnavailable.class);

        assertThat(node.delete(tenant, ANOTHER)).isEqualTo(Deletion.DELETED);

        assertThat(deleted).containsExactly(ONE.run(), ANOTHER.run());
    }

    private LegalHold hold() {
        return new LegalHold(tenant, Optional.empty(), Principal.LOCAL_OPERATOR, Fixtures.NOON);
    }
}
