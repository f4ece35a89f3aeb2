package dev.vivarium.client;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Carries requests to a node, one at a time for each thread. Thread-safe. */
interface Transport {
    /** The address that requests begin with. */
    URI base();

    /**
     * Sends a request and waits for the head of its answer, for as long as the request's timeout says. The caller closes the
     * body.
     *
     * @throws java.net.ConnectException when there is no connection, and so nothing was sent
     */
    HttpResponse<InputStream> send(HttpRequest request) throws IOException, InterruptedException;
}
