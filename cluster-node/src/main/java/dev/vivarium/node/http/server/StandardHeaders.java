package dev.vivarium.node.http.server;

import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;

/** Headers of every response: no MIME sniffing, framing or caching. */
final class StandardHeaders {
    private StandardHeaders() {}

    static HttpResponse on(HttpResponse response) {
        return response.addHeader(RawHeader.create("X-Content-Type-Options", "nosniff"))
                .addHeader(RawHeader.create("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"))
                .addHeader(RawHeader.create("Cache-Control", "no-store"));
    }
}
