package dev.vivarium.persistence.cassandra;

import dev.vivarium.persistence.follow.Sweep;
import dev.vivarium.persistence.secrets.NamedSecrets;
import java.util.function.BooleanSupplier;

/** Seals tenants' secrets with the current master key, so that an earlier one can be removed from the nodes' files. */
final class MasterKeySweep implements Sweep {
    private final NamedSecrets secrets;

    MasterKeySweep(NamedSecrets secrets) {
        this.secrets = secrets;
    }

    @Override
    public String what() {
        return "The master keys of tenants' secrets";
    }

    @Override
    public void sweep(BooleanSupplier goOn) {
        boolean some = true;
        while (some && goOn.getAsBoolean()) {
            some = Cassandra.await(secrets.reseal()) > 0;
        }
    }
}
