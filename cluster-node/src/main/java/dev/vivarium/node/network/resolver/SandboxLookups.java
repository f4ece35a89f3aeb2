package dev.vivarium.node.network.resolver;

import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.protocol.egress.HostName;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Looks names up on behalf of sandboxes: for those that ask the resolver, and for the gateway. Each question conveys
 * something to the domain's owner, so both use the same budget, the same share of concurrent look-ups, and the same
 * cached answers of the sandbox. Never blocks.
 */
public final class SandboxLookups {
    private final ResolverSettings settings;
    private final Lookups lookups;
    private final NameBudgets budgets;
    private final LookupShares shares;

    SandboxLookups(ResolverSettings settings, Lookups lookups, NameBudgets budgets) {
        this.settings = settings;
        this.lookups = lookups;
        this.budgets = budgets;
        this.shares = new LookupShares(settings.lookupsMax(), settings.questionsMax());
    }

    /**
     * The addresses of a host, for a sandbox. The stage never fails: errors are a {@link Lookup.Failed}, and an
     * exceeded budget a {@link Lookup.Refused}. Names outside the public internet do not exist here and are not asked
     * for.
     */
    public CompletionStage<Lookup> addressesOf(EgressSubject subject, HostName name) {
        if (SpecialNames.contains(name)) {
            return CompletableFuture.completedFuture(new Lookup.NoSuchHost());
        }
        Optional<Lookup> kept = budgets.kept(subject.sandbox(), name);
        if (kept.isPresent()) {
            return CompletableFuture.completedFuture(kept.get());
        }
        // Listed names were chosen by the author of the allowlist, not by the agent.
        boolean chosen = subject.policy().names(name);
        boolean affordable = chosen || (!isTooLong(name) && budgets.take(subject.sandbox(), name));
        if (!affordable || !shares.take(subject.sandbox())) {
            return CompletableFuture.completedFuture(new Lookup.Refused());
        }
        return lookups.addressesOf(name).whenComplete((lookup, failure) -> {
            shares.giveBack(subject.sandbox());
            if (failure == null) {
                budgets.keep(subject.sandbox(), name, lookup);
            }
        });
    }

    private boolean isTooLong(HostName name) {
        if (name.value().length() > settings.nameLengthMax()) {
            return true;
        }
        for (String label : name.value().split("\\.", -1)) {
            if (label.length() > settings.labelLengthMax()) {
                return true;
            }
        }
        return false;
    }
}
