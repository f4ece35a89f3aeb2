package dev.vivarium.node.http.server;

import dev.vivarium.protocol.access.Authentication;
import dev.vivarium.protocol.access.Credential;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.Permission;
import dev.vivarium.protocol.access.Role;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/**
 * Decides who sent a request, and whether its sender may use the operation: the only place where that is decided. Which
 * tenants and runs it may use the operation on is up to its {@link Identity}, which endpoints ask.
 *
 * <p>A token is presented as RFC 6750 says, in the header Authorization with the scheme Bearer; in no query and no cookie,
 * so that no browser sends one by itself and no log holds one. A request without one may present what its connection proves: a
 * client certificate, or the user of this machine at its other end.
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
        Presented presented = presented(request);
        if (presented instanceof Presented.Wrong wrong) {
            return CompletableFuture.completedStage(new Decision.Stopped(wrong.answer()));
        }
        Credential credential = ((Presented.Right) presented).credential();
        Timer.Sample sample = Timer.start();
        return authenticator.authenticate(credential, from(request)).thenApply(known -> {
            sample.stop(authentication);
            return judged(known, needed, credential);
        });
    }

    /** A connection of the socket comes from this machine, whoever it is. */
    private static Optional<InetAddress> from(HttpRequest request) {
        return LocalConnections.userOf(request)
                .map(user -> InetAddress.getLoopbackAddress())
                .or(() -> Exchange.from(request));
    }

    /** What a request presents, before anything is known of it. */
    private sealed interface Presented {
        record Right(Credential credential) implements Presented {}

        record Wrong(HttpResponse answer) implements Presented {}
    }

    /** The token if there is one, and what the connection proves only without one. */
    private static Presented presented(HttpRequest request) {
        List<String> tokens = StreamSupport.stream(request.getHeaders().spliterator(), false)
                .filter(header -> header.is(HEADER))
                .map(HttpHeader::value)
                .toList();
        if (tokens.isEmpty()) {
            return ofConnection(request);
        }
        if (tokens.size() > 1) {
            return wrong("invalid_request", "Send one Authorization header, not several.");
        }
        String credentials = tokens.get(0);
        return credentials.toLowerCase(Locale.ROOT).startsWith(SCHEME)
                ? new Presented.Right(new Credential.Token(
                        credentials.substring(SCHEME.length()).strip()))
                : wrong("invalid_request", "The Authorization header must be the word Bearer, a space and a token.");
    }

    private static Presented ofConnection(HttpRequest request) {
        Optional<Credential> proved = LocalConnections.userOf(request)
                .<Credential>map(user -> user)
                .or(() ->
                        request.getAttribute(AttributeKeys.sslSession).flatMap(info -> certificate(info.getSession())));
        if (proved.isEmpty()) {
            return wrong(
                    "",
                    "Say who you are, with a header \"Authorization: Bearer\" and a token, which `vivarium token"
                            + " create` makes. Commands on the node's machine need none, if the user who runs it gives them.");
        }
        // A browser presents a certificate by itself, to reads that other sites' pages ask for, too; and it may reach
        // the
        // socket, where somebody forwards a port to it.
        return BrowserGuard.isFromAnotherSite(request)
                ? new Presented.Wrong(Answers.problem(
                        ProblemType.CROSS_SITE,
                        "Pages of other web sites may not use what your connection proves here."))
                : new Presented.Right(proved.get());
    }

    private static Optional<Credential> certificate(SSLSession session) {
        try {
            return Optional.of(new Credential.Certificate(Arrays.stream(session.getPeerCertificates())
                    .map(X509Certificate.class::cast)
                    .toList()));
        } catch (SSLPeerUnverifiedException none) {
            return Optional.empty();
        }
    }

    private static Presented wrong(String error, String detail) {
        return new Presented.Wrong(unauthenticated(error, detail));
    }

    private Decision judged(Authentication authentication, Permission needed, Credential credential) {
        boolean byToken = credential instanceof Credential.Token;
        if (authentication instanceof Authentication.Refused refused) {
            return new Decision.Stopped(unauthenticated(byToken ? "invalid_token" : "", refused.why()));
        }
        if (authentication instanceof Authentication.Undecided undecided) {
            return new Decision.Stopped(
                    Answers.retryLater(ProblemType.ISSUER_UNAVAILABLE, undecided.why(), retryAfter));
        }
        Identity caller = ((Authentication.Known) authentication).identity();
        return caller.may(needed)
                ? new Decision.Passed(Optional.of(caller))
                : new Decision.Stopped(forbidden(word(credential), caller.role(), needed));
    }

    private static String word(Credential credential) {
        if (credential instanceof Credential.LocalUser) {
            return "user";
        }
        return credential instanceof Credential.Token ? "token" : "certificate";
    }

    private static HttpResponse unauthenticated(String error, String detail) {
        return challenging(Answers.problem(ProblemType.UNAUTHENTICATED, detail), error);
    }

    private static HttpResponse forbidden(String credential, Role role, Permission needed) {
        String roles = Arrays.stream(Role.values())
                .filter(other -> other.has(needed))
                .map(Role::toString)
                .collect(Collectors.joining(" or "));
        return challenging(
                Answers.problem(
                        ProblemType.FORBIDDEN,
                        "The role of your " + credential + " is " + role + ", and this takes " + roles + "."),
                "insufficient_scope");
    }

    /** RFC 6750, section 3. */
    private static HttpResponse challenging(HttpResponse answer, String error) {
        return answer.addHeader(RawHeader.create(
                "WWW-Authenticate", error.isEmpty() ? CHALLENGE : CHALLENGE + ", error=\"" + error + "\""));
    }
}
