package dev.vivarium.node.admission;

import dev.vivarium.protocol.api.Problem.FieldError;
import java.util.ArrayList;
import java.util.List;

/**
 * The errors found in one body so far. Keeps the first {@value #MAX_ERRORS} only, since a body can contain a million.
 */
final class Findings {
    static final int MAX_ERRORS = 100;

    private final List<FieldError> errors = new ArrayList<>();
    private int dropped;

    void add(String field, String message) {
        if (errors.size() < MAX_ERRORS) {
            errors.add(new FieldError(field, message));
        } else {
            dropped++;
        }
    }

    boolean isEmpty() {
        return errors.isEmpty();
    }

    List<FieldError> all() {
        if (dropped == 0) {
            return List.copyOf(errors);
        }
        List<FieldError> all = new ArrayList<>(errors);
        all.add(new FieldError("", "and " + dropped + " more fields are wrong; these are the first " + MAX_ERRORS));
        return List.copyOf(all);
    }
}
