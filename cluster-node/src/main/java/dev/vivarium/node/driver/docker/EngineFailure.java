package dev.vivarium.node.driver.docker;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.github.dockerjava.api.exception.DockerException;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.json.PlainJson;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.TimeoutException;

/** Translates the client library's exceptions into the driver's. */
final class EngineFailure {
    private static final int DETAIL_LENGTH_MAX = 400;
    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;
    private static final int UNAVAILABLE = 503;

    private EngineFailure() {}

    /** @param doing what was tried, to follow "while": "starting the sandbox" */
    static DriverException translate(String doing, Exception failure) {
        if (failure instanceof DriverException already) {
            return already;
        }
        Optional<DockerException> refusal = find(failure, DockerException.class);
        if (refusal.isPresent()) {
            DriverException.Kind kind = refusal.get().getHttpStatus() == UNAVAILABLE
                    ? DriverException.Kind.ENGINE_UNAVAILABLE
                    : DriverException.Kind.REFUSED;
            return new DriverException(
                    kind, "The container engine refused while " + doing + ": " + detail(refusal.get()), failure);
        }
        boolean unreachable = find(failure, IOException.class)
                        .filter(cause -> !(cause instanceof JsonProcessingException))
                        .isPresent()
                || find(failure, TimeoutException.class).isPresent();
        return unreachable
                ? new DriverException(
                        DriverException.Kind.ENGINE_UNAVAILABLE,
                        "The container engine did not answer while " + doing + " (" + rootMessage(failure)
                                + "). Is it running?",
                        failure)
                : new DriverException(
                        DriverException.Kind.REFUSED,
                        "It failed while " + doing + ": " + rootMessage(failure),
                        failure);
    }

    static boolean isNotFound(DriverException failure) {
        return status(failure) == NOT_FOUND;
    }

    static boolean isConflict(DriverException failure) {
        return status(failure) == CONFLICT;
    }

    /** The engine's HTTP status for the call; 0 when there was none. */
    private static int status(DriverException failure) {
        return find(failure, DockerException.class)
                .map(DockerException::getHttpStatus)
                .orElse(0);
    }

    /** The engine's message, without the JSON around it. */
    static String detail(DockerException refusal) {
        String text = String.valueOf(refusal.getMessage());
        int object = text.indexOf('{');
        if (object >= 0) {
            try {
                String message = PlainJson.MAPPER
                        .readTree(text.substring(object))
                        .path("message")
                        .asText();
                text = message.isEmpty() ? text : message;
            } catch (JsonProcessingException notJson) {
                return bounded(text);
            }
        }
        return bounded(text);
    }

    private static String rootMessage(Throwable failure) {
        Throwable root = failure;
        // A timeout is reported as such, rather than by the interrupt that ended the call.
        while (!(root instanceof TimeoutException) && root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        String message = root.getMessage();
        return bounded(message == null ? root.getClass().getSimpleName() : message);
    }

    private static String bounded(String text) {
        String line = text.strip().replaceAll("[\\p{Cntrl}]+", " ");
        return line.length() <= DETAIL_LENGTH_MAX ? line : line.substring(0, DETAIL_LENGTH_MAX) + "...";
    }

    private static <E extends Throwable> Optional<E> find(Throwable failure, Class<E> type) {
        Throwable current = failure;
        while (current != null) {
            if (type.isInstance(current)) {
                return Optional.of(type.cast(current));
            }
            current = current.getCause();
        }
        return Optional.empty();
    }
}
