package dev.vivarium.loadtests.subject;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.vivarium.client.ApiJson;
import dev.vivarium.client.Credentials;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;

/**
 * An issuer of OpenID Connect on loopback, with one RSA key of 2048 bits (RS256), which most issuers sign with: the caller of
 * a benchmark presents its token.
 */
public final class JwtIssuer implements AutoCloseable {
    private static final String AUDIENCE = "vivarium-bench";
    private static final int KEY_BITS = 2048;
    private static final Duration LIFE = Duration.ofHours(12);

    private final KeyPair key;
    private final HttpServer server;
    private final String uri;

    private JwtIssuer(KeyPair key, HttpServer server) {
        this.key = key;
        this.server = server;
        this.uri = "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Starts one. */
    public static JwtIssuer start() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        JwtIssuer issuer = new JwtIssuer(newKey(), server);
        server.createContext("/.well-known/openid-configuration", exchange -> answer(exchange, issuer.discovery()));
        server.createContext("/keys", exchange -> answer(exchange, issuer.keys()));
        server.start();
        return issuer;
    }

    private static KeyPair newKey() throws IOException {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(KEY_BITS);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException failed) {
            throw new IOException("This Java makes no RSA keys.", failed);
        }
    }

    /** The configuration of a node whose submitters it names. */
    public Map<String, String> configuration() {
        String block = "vivarium.oidc.issuers.0.";
        return Map.of(
                block + "name", "bench",
                block + "issuer", uri,
                block + "audience.0", AUDIENCE,
                block + "rules.0.role", "submitter",
                block + "rules.0.tenant", "default");
    }

    /** A caller's token. */
    public Credentials token() throws IOException {
        Instant now = Instant.now();
        ObjectNode claims = ApiJson.object()
                .put("iss", uri)
                .put("aud", AUDIENCE)
                .put("sub", "submitter")
                .put("iat", now.getEpochSecond())
                .put("exp", now.plus(LIFE).getEpochSecond());
        String signed = encoded(ApiJson.object().put("alg", "RS256").put("kid", "1")) + "." + encoded(claims);
        try {
            Signature signature = Signature.getInstance("SHA256withRSA");
            signature.initSign(key.getPrivate());
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return Credentials.of(signed + "." + base64(signature.sign()));
        } catch (GeneralSecurityException failed) {
            throw new IOException("This Java makes no signatures by RSA.", failed);
        }
    }

    private JsonNode discovery() {
        return ApiJson.object().put("issuer", uri).put("jwks_uri", uri + "/keys");
    }

    private JsonNode keys() {
        RSAPublicKey rsa = (RSAPublicKey) key.getPublic();
        ObjectNode keys = ApiJson.object();
        keys.putArray("keys")
                .addObject()
                .put("kty", "RSA")
                .put("kid", "1")
                .put("use", "sig")
                .put("alg", "RS256")
                .put("n", base64(unsigned(rsa.getModulus())))
                .put("e", base64(unsigned(rsa.getPublicExponent())));
        return keys;
    }

    private static byte[] unsigned(BigInteger number) {
        byte[] bytes = number.toByteArray();
        return bytes[0] == 0 ? Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
    }

    private static String encoded(JsonNode json) {
        return base64(ApiJson.bytes(json));
    }

    private static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static void answer(HttpExchange exchange, JsonNode document) throws IOException {
        byte[] body = ApiJson.bytes(document);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
