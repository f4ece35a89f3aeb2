package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.run.RunId;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that hold connections block neither other clients nor health checks. */
@Timeout(60)
class FullNodeTest {
    private final TestApi api = new TestApi("max-connections = 6, max-followers = 4, max-followers-of-one = 2");
    private final List<Socket> sockets = new ArrayList<>();

    @AfterEach
    void close() throws IOException {
        for (Socket socket : sockets) {
            socket.close();
        }
        api.close();
    }

    @Test
    void aClientOfAFullNodeIsRefusedImmediately() throws IOException {
        for (int i = 0; i < 6; i++) {
            keep("GET /v1/runs HTTP/1.1\r\n" + api.authorization() + "Host: localhost\r\n\r\n");
        }

        assertThat(once("GET /v1/runs"))
                .startsWith("HTTP/1.1 429")
                .contains("Retry-After: 5", "Connection: close", "node-full");
        assertThat(once("GET /health/alive")).startsWith("HTTP/1.1 200");
        assertThat(once("GET /metrics")).startsWith("HTTP/1.1 200");

        sockets.get(0).close();
        await().untilAsserted(() -> assertThat(once("GET /v1/runs")).startsWith("HTTP/1.1 200"));
    }

    @Test
    void followersLeaveConnectionsAndFollowingToOtherClients() throws IOException {
        RunId run = api.running();
        String follow = "GET /v1/runs/" + run + "/output?follow=true";
        for (int i = 0; i < 2; i++) {
            keep(follow + " HTTP/1.1\r\n" + api.authorization() + "Host: localhost\r\n\r\n");
        }
        await().untilAsserted(() -> assertThat(api.followers()).isEqualTo(2));

        assertThat(once(follow)).startsWith("HTTP/1.1 429").contains("Retry-After: 5", "2 followers of one caller");
        assertThat(once("GET /v1/runs/" + run + "/output")).startsWith("HTTP/1.1 200");
        keep(follow + " HTTP/1.1\r\nAuthorization: Bearer " + api.token(Role.VIEWER, "default")
                + "\r\nHost: localhost\r\n\r\n");
    }

    /** A connection that has received the head of a response and stays open. */
    private void keep(String request) throws IOException {
        Socket socket = new Socket("localhost", api.port());
        sockets.add(socket);
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        assertThat(new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII))
                .isEqualTo("HTTP/1.1 200");
    }

    /** The response on a connection that the client would keep open. */
    private String once(String request) {
        return api.raw(
                request + " HTTP/1.1\r\n" + api.authorization() + "Host: localhost\r\nConnection: close\r\n\r\n");
    }
}
