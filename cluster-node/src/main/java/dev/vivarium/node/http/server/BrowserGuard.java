package dev.vivarium.node.http.server;

import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.Host;

/**
 * Keeps web pages in a browser that reaches this node away from the API, whoever has a token there. A page's host
 * name may resolve to this node's address (DNS rebinding), so only the node's known names are accepted, wherever it
 * listens: those of the machine itself, of the node's certificate and of its configuration; and, beyond the loopback
 * interface, addresses, which no page's name can be. And any page may send simple POSTs anywhere, so requests from other
 * sites are refused.
 */
final class BrowserGuard {
    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "::1", "[::1]");

    private static final Pattern ADDRESS = Pattern.compile("\\d{1,3}(\\.\\d{1,3}){3}|\\[?[0-9a-f:.]*:[0-9a-f:.]*]?");

    private final Set<String> allowedHosts;
    private final Supplier<Set<String>> certified;
    private final boolean loopback;
    /** The address that the node listens on: numeric, so no page's host name can equal it. */
    private final String own;

    /**
     * A guard.
     *
     * @param certified the names that the node's certificate has at the moment
     */
    BrowserGuard(HttpSettings settings, Supplier<Set<String>> certified) {
        this.certified = certified;
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
        return LOOPBACK.contains(host)
                || host.equals(own)
                || allowedHosts.contains(host)
                || (!loopback && ADDRESS.matcher(host).matches())
                || isCertified(host);
    }

    /** RFC 6125, section 6.4.3: a wildcard is one whole label, the first. */
    private boolean isCertified(String host) {
        Set<String> names = certified.get();
        int dot = host.indexOf('.');
        return names.contains(host) || (dot > 0 && names.contains("*" + host.substring(dot)));
    }

    private static boolean isSafe(HttpRequest request) {
        return request.method().equals(HttpMethods.GET) || request.method().equals(HttpMethods.HEAD);
    }

    /** Whether a page of another web site has sent it, as far as its browser says so. */
    static boolean isFromAnotherSite(HttpRequest request) {
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
