package dev.vivarium.node.admission;

import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.Scope;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.RunSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** What a caller may submit: runs of its tenant, within its scope. */
final class Grants {
    private final Identity caller;

    Grants(Identity caller) {
        this.caller = caller;
    }

    /** The tenant of a submission that names none. */
    Tenant tenant() {
        return caller.tenant();
    }

    /** The asked limits, with the scope's amount for those that are not asked for and whose default is above it. */
    Limits withDefaults(Limits asked, Limits defaults) {
        Limits limits = asked;
        for (Limit<?> limit : Limit.ALL) {
            limits = withDefault(limits, limit, defaults);
        }
        return limits;
    }

    private <T extends Comparable<T>> Limits withDefault(Limits asked, Limit<T> limit, Limits defaults) {
        return caller.scope()
                .limits()
                .find(limit)
                .filter(most -> asked.find(limit).isEmpty())
                .filter(most -> defaults.find(limit)
                        .map(given -> given.compareTo(most) > 0)
                        .orElse(true))
                .map(most -> asked.with(limit, most))
                .orElse(asked);
    }

    /** Everything that the submission asks for and the caller may not. */
    List<FieldError> beyond(Submission submission) {
        List<FieldError> errors = new ArrayList<>();
        if (!caller.mayActFor(submission.tenant())) {
            errors.add(new FieldError(
                    "labels." + RunSpec.TENANT_LABEL,
                    "must be left out, or be " + caller.tenant() + ", the tenant of your token"));
        }
        new TreeMap<>(caller.scope().labels()).forEach((key, value) -> {
            if (!value.equals(submission.labels().get(key))) {
                errors.add(new FieldError("labels." + key, "must be '" + value + "', which your token is narrowed to"));
            }
        });
        caller.scope()
                .image()
                .filter(only -> !only.equals(submission.image()))
                .ifPresent(only ->
                        errors.add(new FieldError("image", "must be " + only + ", which your token is narrowed to")));
        if (!caller.scope().equals(Scope.NONE)) {
            new TreeMap<>(submission.namedSecrets())
                    .keySet()
                    .forEach(
                            variable -> errors.add(
                                    new FieldError(
                                            "namedSecrets." + variable,
                                            "names a secret of the tenant, which a token that is narrowed to a part of it may not use")));
        }
        Limit.ALL.forEach(limit -> addIfAbove(limit, submission.limits(), errors));
        return errors;
    }

    private <T extends Comparable<T>> void addIfAbove(Limit<T> limit, Limits limits, List<FieldError> errors) {
        caller.scope().limits().find(limit).ifPresent(most -> {
            if (limits.get(limit).compareTo(most) > 0) {
                errors.add(new FieldError(
                        "limits." + limit.name(), "must be at most " + most + ", which your token is narrowed to"));
            }
        });
    }
}
