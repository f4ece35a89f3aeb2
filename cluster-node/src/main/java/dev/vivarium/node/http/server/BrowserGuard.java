package dev.vivarium.node.http.server;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.Host;

/**
 * Keeps web pages in a browser on this machine away from the API, whoever has a token there. A page's host
 * name may resolve to the loopback address (DNS rebinding), so only the node's known names are accepted. And any page
 * may send simple POSTs anywhere, so requests from other sites are refused.
 */
final class BrowserGuard {
    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "::1", "[::1]");

    private final Set<String> allowedHosts;
    private final boolean loopback;
    /** The address that the node listens on: numeric, so no page's host name can equal it. */
    private final String own;

    BrowserGuard(HttpSettings settings) {
        this.allowedHosts = settings.allowedHosts();
        this.own = settings.host().toLowerCase(Locale.ROOT);
        this.loopback = LOOPBACK.contains(settings.host()) || settings.host().startsWith("127.");
    }

    /** The reason to refuse the request, if there is one. */
    Optional<HttpResponse> refusal(HttpRequest request) {
        String host = request.getHeader(Host.class)
                .map(header -> header.host().address().toLowerCase(Locale.ROOT))
                .orElse("");
        if (!isKnown(host)) {
            return Optional.of(Answers.problem(
                    ProblemType.UNKNOWN_HOST,
                    "Call this node localhost, or add the name to vivarium.http.allowed-hosts in its configuration."));
        }
        if (!isSafe(request) && isFromAnotherSite(request)) {
            return Optional.of(
                    Answers.problem(ProblemType.CROSS_SITE, "Pages of other web sites may not change anything here."));
        }
        return Optional.empty();
    }

    private boolean isKnown(String host) {
        if (allowedHosts.contains(host) || (loopback && (LOOPBACK.contains(host) || host.equals(own)))) {
            return true;
        }
        return !loopback && allowedHosts.isEmpty();
    }

    private static boolean isSafe(HttpRequest request) {
        return request.method().equals(HttpMethods.GET) || request.method().equals(HttpMethods.HEAD);
    }

    private static boolean isFromAnotherSite(HttpRequest request) {
        String site = request.getHeader("Sec-Fetch-Site").map(HttpHeader::value).orElse("none");
        if (!site.equals("none") && !site.equals("same-origin")) {
            return true;
        }
        Optional<String> origin = request.getHeader("Origin").map(HttpHeader::value);
        String self = request.getHeader("Host").map(HttpHeader::value).orElse("");
        return origin.isPresent()
                && !origin.get().equalsIgnoreCase("http://" + self)
                && !origin.get().equalsIgnoreCase("https://" + self);
    }
}
