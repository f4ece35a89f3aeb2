package dev.vivarium.node.http.server;

import dev.vivarium.protocol.access.Authentication;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.Permission;
import dev.vivarium.protocol.access.Role;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/**
 * Decides who sent a request, and whether its sender may use the operation: the only place where that is decided. Which
 * tenants and runs it may use the operation on is up to its {@link Identity}, which endpoints ask.
 *
 * <p>A token is presented as RFC 6750 says, in the header Authorization with the scheme Bearer; in no query and no cookie,
 * so that no browser sends one by itself and no log holds one.
 */
final class Gate {
    private static final String HEADER = "authorization";
    private static final String SCHEME = "bearer ";
    private static final String CHALLENGE = "Bearer realm=\"vivarium\"";

    private final Authenticator authenticator;
    private final Duration retryAfter;
    private final Timer authentication;

    /**
     * @param retryAfter when a caller about whom nothing could be decided may ask again
     * @param metrics where the time is counted that it takes to know a caller
     */
    Gate(Authenticator authenticator, Duration retryAfter, MeterRegistry metrics) {
        this.authenticator = authenticator;
        this.retryAfter = retryAfter;
        this.authentication = metrics.timer("vivarium.http.authentication");
    }

    /** The decision on a request. */
    sealed interface Decision {
        /**
         * It may pass.
         *
         * @param caller who sent it; empty where everyone may pass
         */
        record Passed(Optional<Identity> caller) implements Decision {}

        /** It may not. */
        record Stopped(HttpResponse answer) implements Decision {}
    }

    CompletionStage<Decision> decide(HttpRequest request, Operation operation) {
        if (operation.needs().isEmpty()) {
            return CompletableFuture.completedStage(new Decision.Passed(Optional.empty()));
        }
        Permission needed = operation.needs().get();
        List<String> presented = StreamSupport.stream(request.getHeaders().spliterator(), false)
                .filter(header -> header.is(HEADER))
                .map(HttpHeader::value)
                .toList();
        if (presented.isEmpty()) {
            return stopped(unauthenticated(
                    "",
                    "Say who you are, with a header \"Authorization: Bearer\" and a token. The command line finds the"
                            + " token of this machine's operator by itself; `vivarium token create` makes others."));
        }
        if (presented.size() > 1) {
            return stopped(unauthenticated("invalid_request", "Send one Authorization header, not several."));
        }
        String credentials = presented.get(0);
        if (!credentials.toLowerCase(Locale.ROOT).startsWith(SCHEME)) {
            return stopped(unauthenticated(
                    "invalid_request", "The Authorization header must be the word Bearer, a space and a token."));
        }
        String token = credentials.substring(SCHEME.length()).strip();
        Timer.Sample sample = Timer.start();
        return authenticator.authenticate(token, Exchange.from(request)).thenApply(known -> {
            sample.stop(authentication);
            return judged(known, needed);
        });
    }

    private Decision judged(Authentication authentication, Permission needed) {
        if (authentication instanceof Authentication.Refused refused) {
            return new Decision.Stopped(unauthenticated("invalid_token", refused.why()));
        }
        if (authentication instanceof Authentication.Undecided undecided) {
            return new Decision.Stopped(
                    Answers.retryLater(ProblemType.ISSUER_UNAVAILABLE, undecided.why(), retryAfter));
        }
        Identity caller = ((Authentication.Known) authentication).identity();
        return caller.may(needed)
                ? new Decision.Passed(Optional.of(caller))
                : new Decision.Stopped(forbidden(caller.role(), needed));
    }

    private static CompletionStage<Decision> stopped(HttpResponse answer) {
        return CompletableFuture.completedStage(new Decision.Stopped(answer));
    }

    private static HttpResponse unauthenticated(String error, String detail) {
        return challenging(Answers.problem(ProblemType.UNAUTHENTICATED, detail), error);
    }

    private static HttpResponse forbidden(Role role, Permission needed) {
        String roles = Arrays.stream(Role.values())
                .filter(other -> other.has(needed))
                .map(Role::toString)
                .collect(Collectors.joining(" or "));
        return challenging(
                Answers.problem(
                        ProblemType.FORBIDDEN, "The role of your token is " + role + ", and this takes " + roles + "."),
                "insufficient_scope");
    }

    /** RFC 6750, section 3. */
    private static HttpResponse challenging(HttpResponse answer, String error) {
        return answer.addHeader(RawHeader.create(
                "WWW-Authenticate", error.isEmpty() ? CHALLENGE : CHALLENGE + ", error=\"" + error + "\""));
    }
}
