package dev.vivarium.node.http.server;

import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/** Headers of every response: no MIME sniffing or framing, and no caching unless the response says what may be kept. */
final class StandardHeaders {
    private static final String CACHE_CONTROL = "Cache-Control";

    private StandardHeaders() {}

    static HttpResponse on(HttpResponse response) {
        HttpResponse standard = response.addHeader(RawHeader.create("X-Content-Type-Options", "nosniff"))
                .addHeader(RawHeader.create("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"));
        return standard.getHeader(CACHE_CONTROL).isPresent()
                ? standard
                : standard.addHeader(RawHeader.create(CACHE_CONTROL, "no-store"));
    }
}
