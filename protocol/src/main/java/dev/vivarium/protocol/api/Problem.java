package dev.vivarium.protocol.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.vivarium.protocol.access.QuotaExcess;
import java.util.List;
import java.util.Optional;

/**
 * Problem details (RFC 9457): why a request was refused and what to do about it.
 *
 * @param type the stable name of the kind of problem, a URI
 * @param title what kind of problem it is
 * @param status the HTTP status
 * @param detail one sentence about this occurrence and what to do about it
 * @param errors every invalid field, when the problem is in the body or the query
 * @param overQuota the quota that its tenant would be over, when that is the problem
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Problem(
        String type,
        String title,
        int status,
        String detail,
        List<FieldError> errors,
        Optional<QuotaExcess> overQuota) {
    public Problem {
        errors = List.copyOf(errors);
    }

    /** A problem that is no tenant's quota. */
    public Problem(String type, String title, int status, String detail, List<FieldError> errors) {
        this(type, title, status, detail, errors, Optional.empty());
    }

    /**
     * One invalid field.
     *
     * @param field the field's path, such as {@code limits.memory}
     * @param message what is wrong with it and what is expected
     */
    public record FieldError(String field, String message) {}
}
