package dev.vivarium.node.access.oidc;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** An issuer on this machine, with a real HTTP server. */
final class TestIssuer implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicInteger readings = new AtomicInteger();
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile List<JWK> keys = List.of();
    private volatile String calledItself;
    private volatile Conduct conduct = Conduct.ANSWERS;

    /** How it answers when it is asked for its keys. */
    enum Conduct {
        ANSWERS,
        FAILS,
        HANGS,
        /** A byte now and then, for ever. */
        DRIPS,
        REDIRECTS
    }

    TestIssuer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        calledItself = address();
        server.setExecutor(threads);
        server.createContext(
                "/.well-known/openid-configuration",
                exchange -> answer(
                        exchange, "{\"issuer\":\"" + calledItself + "\",\"jwks_uri\":\"" + address() + "/keys\"}"));
        server.createContext("/keys", this::publish);
        server.createContext("/elsewhere", exchange -> answer(exchange, new JWKSet(keys).toString()));
        server.start();
    }

    String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Publishes the public halves of these keys, and no others. */
    void publishes(JWK... some) {
        keys = List.of(some);
    }

    void behaves(Conduct how) {
        conduct = how;
    }

    void callsItself(String name) {
        calledItself = name;
    }

    /** How often it was asked for its keys. */
    int readings() {
        return readings.get();
    }

    private void publish(HttpExchange exchange) throws IOException {
        readings.incrementAndGet();
        switch (conduct) {
            case ANSWERS -> answer(exchange, new JWKSet(keys).toString());
            case FAILS -> {
                exchange.sendResponseHeaders(500, -1);
                exchange.close();
            }
            case HANGS -> await();
            case DRIPS -> {
                exchange.sendResponseHeaders(200, 0);
                while (closing.getCount() > 0) {
                    exchange.getResponseBody().write(' ');
                    exchange.getResponseBody().flush();
                    pause();
                }
            }
            case REDIRECTS -> {
                exchange.getResponseHeaders().add("Location", address() + "/elsewhere");
                exchange.sendResponseHeaders(302, -1);
                exchange.close();
            }
        }
    }

    private void await() {
        try {
            closing.await();
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private void pause() {
        try {
            closing.await(20, TimeUnit.MILLISECONDS);
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private static void answer(HttpExchange exchange, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    /** A token of these claims, signed with RS256. */
    static String sign(RSAKey key, JWTClaimsSet claims) {
        try {
            SignedJWT jwt = new SignedJWT(
                    new JWSHeader.Builder(JWSAlgorithm.RS256)
                            .keyID(key.getKeyID())
                            .build(),
                    claims);
            jwt.sign(new RSASSASigner(key));
            return jwt.serialize();
        } catch (JOSEException failed) {
            throw new AssertionError(failed);
        }
    }

    @Override
    public void close() {
        closing.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
