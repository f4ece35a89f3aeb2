package dev.vivarium.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.protocol.api.ArtifactList;
import dev.vivarium.protocol.api.OutputChunkView;
import dev.vivarium.protocol.api.Problem;
import dev.vivarium.protocol.api.RunView;
import dev.vivarium.protocol.run.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLHandshakeException;

/**
 * A client of one node's HTTP API, version 1. Requests are safe to repeat (a submission by its idempotency key; one
 * without a key is sent once), so the client reconnects after a lost connection, within its {@link RetryPolicy}. If the
 * connection fails and the node has never answered, it fails immediately. Thread-safe.
 */
public final class ApiClient {
    /** Longer than a node takes for a submission. */
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(30);
    /** The upload's timeout assumes at least this rate. */
    private static final long UPLOAD_BYTES_PER_SECOND_MIN = 1 << 20;
    /** Bounds the memory for an answer, such as a page of runs or a history; far above what a node sends. */
    static final int ANSWER_BYTES_MAX = 64 << 20;

    /** The JDK's message for a connection that is closed in place of an answer. */
    private static final String SILENCE = "header parser received no bytes";

    private final URI server;
    private final Credentials credentials;
    private final RetryPolicy retries;
    private final Duration answerTimeout;
    private final Transport transport;
    private volatile Contact contact = Contact.NONE;

    private enum Contact {
        NONE,
        ANSWERED
    }

    /** A client with the default timeouts. */
    public ApiClient(URI server, Credentials credentials, RetryPolicy retries) {
        this(server, credentials, Trust.JAVA, retries);
    }

    /** A client with the default timeouts that believes particular authorities. */
    public ApiClient(URI server, Credentials credentials, Trust trust, RetryPolicy retries) {
        this(server, credentials, trust, retries, ANSWER_TIMEOUT);
    }

    /** A client that believes the authorities that this Java trusts. */
    public ApiClient(URI server, Credentials credentials, RetryPolicy retries, Duration answerTimeout) {
        this(server, credentials, Trust.JAVA, retries, answerTimeout);
    }

    /**
     * A client of the node at an address.
     *
     * @param server the address of the node's API, of the network or of a socket ({@link LocalServer})
     * @param credentials what it proves itself with
     * @param trust how it knows the node, if the address is one of https
     * @param retries how long it retries while the node does not answer
     * @param answerTimeout how long the node may take to begin an answer
     */
    public ApiClient(URI server, Credentials credentials, Trust trust, RetryPolicy retries, Duration answerTimeout) {
        this.server = server;
        this.credentials = credentials;
        this.retries = retries;
        this.answerTimeout = answerTimeout;
        this.transport = LocalServer.socketOf(server)
                .<Transport>map(SocketTransport::new)
                .orElseGet(() -> new NetworkTransport(server, credentials, trust));
    }

    public URI server() {
        return server;
    }

    /** Submits a run. Idempotent: the same key with the same body is the same run. */
    public JsonNode submit(JsonNode submission, String idempotencyKey) throws ApiException, InterruptedIOException {
        return json(submission(submission, "")
                .header("Idempotency-Key", idempotencyKey)
                .build());
    }

    /**
     * Submits a run and waits for its end: the run as it ended or, after the wait, as it is then. Idempotent, as above;
     * nodes of version 0.1 do not wait.
     *
     * @param wait how long to wait, of a millisecond or more; a node has a ceiling for it, 5 minutes by default
     */
    public JsonNode submitAndWait(JsonNode submission, String idempotencyKey, Duration wait)
            throws ApiException, InterruptedIOException {
        return json(submission(submission, queryString(List.of(Map.entry("wait", wait.toMillis() + "ms"))))
                .timeout(answerTimeout.plus(wait))
                .header("Idempotency-Key", idempotencyKey)
                .build());
    }

    /**
     * Submits a run and asks for its output with the answer, which the caller closes. Idempotent, as above. A node that
     * does not know this wish answers with the run.
     */
    HttpResponse<InputStream> submitAndFollow(JsonNode submission, String idempotencyKey)
            throws ApiException, InterruptedIOException {
        HttpRequest request = submission(submission, queryString(List.of(Map.entry("follow", "output"))))
                .setHeader("Accept", "application/x-ndjson, application/json;q=0.5")
                .header("Idempotency-Key", idempotencyKey)
                .build();
        return exchange(request, retries.begin(), response -> response);
    }

    /**
     * Submits a run once. Without a key a repeated submission would be a second run, so the outcome of a lost answer
     * stays unknown.
     */
    public JsonNode submit(JsonNode submission) throws ApiException, InterruptedIOException {
        return json(submission(submission, "").build(), RetryPolicy.NONE.begin());
    }

    private HttpRequest.Builder submission(JsonNode submission, String query) {
        return request("/v1/runs" + query)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(ApiJson.bytes(submission)));
    }

    public JsonNode run(String id) throws ApiException, InterruptedIOException {
        return json(request("/v1/runs/" + id).build());
    }

    public JsonNode runs(List<Map.Entry<String, String>> query) throws ApiException, InterruptedIOException {
        return json(request("/v1/runs" + queryString(query)).build());
    }

    /** Events of all runs. */
    public JsonNode auditEvents(List<Map.Entry<String, String>> query) throws ApiException, InterruptedIOException {
        return json(request("/v1/audit/events" + queryString(query)).build());
    }

    /** Totals over the events of all runs. */
    public JsonNode auditCounts(List<Map.Entry<String, String>> query) throws ApiException, InterruptedIOException {
        return json(request("/v1/audit/counts" + queryString(query)).build());
    }

    public JsonNode cancel(String id) throws ApiException, InterruptedIOException {
        return json(request("/v1/runs/" + id + "/cancel")
                .POST(HttpRequest.BodyPublishers.noBody())
                .build());
    }

    /**
     * Moves the deadline of a live run, and answers with the run. Idempotent. A run that was renewed is not killed at the
     * deadline before; one that cannot be, since it is ending or its time is over, is refused with status 409.
     *
     * @param wallClock the run's wall clock from now on, such as {@code 30m}, from the start of the attempt's process
     */
    public JsonNode renew(String id, String wallClock) throws ApiException, InterruptedIOException {
        return json(request("/v1/runs/" + id + "/deadline")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(
                        ApiJson.bytes(ApiJson.object().put("wallClock", wallClock))))
                .build());
    }

    public JsonNode events(String id) throws ApiException, InterruptedIOException {
        return json(request("/v1/runs/" + id + "/events").build());
    }

    /**
     * Uploads the content of a file, streamed, for the tenant's submissions to refer to by digest. Idempotent: an
     * interrupted upload is sent again.
     *
     * @param tenant the tenant, which only an operator may choose; empty for that of the credentials
     */
    public void putBlob(Digest digest, Path content, Optional<String> tenant) throws ApiException, IOException {
        Duration longest = answerTimeout.plusSeconds(Files.size(content) / UPLOAD_BYTES_PER_SECOND_MIN);
        json(request("/v1/blobs/" + digest
                        + queryString(tenant.map(name -> List.of(Map.entry("tenant", name)))
                                .orElse(List.of())))
                .timeout(longest)
                .header("Content-Type", "application/octet-stream")
                .PUT(HttpRequest.BodyPublishers.ofFile(content))
                .build());
    }

    /** The files that were kept of a run. */
    public ArtifactList artifacts(String id) throws ApiException, InterruptedIOException {
        return read(json(request("/v1/runs/" + id + "/artifacts").build()), ArtifactList.class);
    }

    /** Deletes what an ended run printed. */
    public void deleteOutput(String id) throws ApiException, InterruptedIOException {
        delete("/v1/runs/" + id + "/output");
    }

    /** Deletes the files that were kept of an ended run. */
    public void deleteArtifacts(String id) throws ApiException, InterruptedIOException {
        delete("/v1/runs/" + id + "/artifacts");
    }

    /**
     * Deletes a content that no run has.
     *
     * @param tenant whose it is; empty for the caller's own
     */
    public void deleteBlob(Digest digest, Optional<String> tenant) throws ApiException, InterruptedIOException {
        delete("/v1/blobs/" + digest
                + queryString(
                        tenant.map(name -> List.of(Map.entry("tenant", name))).orElse(List.of())));
    }

    private void delete(String path) throws ApiException, InterruptedIOException {
        exchange(request(path).DELETE().build(), retries.begin(), ApiClient::body);
    }

    /** The content of a file that was kept of a run; the caller closes it. Not resumed when the connection is lost. */
    public InputStream artifact(String id, String path) throws ApiException, InterruptedIOException {
        String encoded = Stream.of(path.split("/", -1)).map(ApiClient::segment).collect(Collectors.joining("/"));
        try {
            return open("/v1/runs/" + id + "/artifacts/" + encoded, "application/octet-stream", Map.of());
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException lost) {
            throw unreachable(lost);
        }
    }

    /** Makes a token; the answer is the only one that shows it. */
    public JsonNode createToken(JsonNode wish) throws ApiException, InterruptedIOException {
        return json(
                request("/v1/tokens")
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(ApiJson.bytes(wish)))
                        .build(),
                RetryPolicy.NONE.begin());
    }

    /** The installation's tokens. */
    public JsonNode tokens(List<Map.Entry<String, String>> query) throws ApiException, InterruptedIOException {
        return json(request("/v1/tokens" + queryString(query)).build());
    }

    /** Ends a token. */
    public JsonNode revokeToken(String id) throws ApiException, InterruptedIOException {
        return json(request("/v1/tokens/" + encode(id)).DELETE().build());
    }

    /** Keeps a secret for a tenant; the answer does not have its value. */
    public JsonNode putSecret(JsonNode wish) throws ApiException, InterruptedIOException {
        return json(
                request("/v1/secrets")
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(ApiJson.bytes(wish)))
                        .build(),
                RetryPolicy.NONE.begin());
    }

    /** The secrets of a tenant, without their values. */
    public JsonNode secrets(List<Map.Entry<String, String>> query) throws ApiException, InterruptedIOException {
        return json(request("/v1/secrets" + queryString(query)).build());
    }

    /** Removes a secret. */
    public JsonNode removeSecret(String name, List<Map.Entry<String, String>> query)
            throws ApiException, InterruptedIOException {
        return json(request("/v1/secrets/" + encode(name) + queryString(query))
                .DELETE()
                .build());
    }

    /** Replaces a token by one that grants the same; the answer is the only one that shows it. */
    public JsonNode rotateToken(String id, List<Map.Entry<String, String>> query)
            throws ApiException, InterruptedIOException {
        return json(
                request("/v1/tokens/" + encode(id) + "/rotate" + queryString(query))
                        .POST(HttpRequest.BodyPublishers.noBody())
                        .build(),
                RetryPolicy.NONE.begin());
    }

    /** Sets quotas of a tenant, an amount by the name of each; answers as {@link #usage}. */
    public JsonNode setQuotas(String tenant, JsonNode amounts) throws ApiException, InterruptedIOException {
        return json(request("/v1/tenants/" + encode(tenant) + "/quotas")
                .header("Content-Type", "application/json")
                .method("PATCH", HttpRequest.BodyPublishers.ofByteArray(ApiJson.bytes(amounts)))
                .build());
    }

    /** A tenant's quotas, and what it uses of them. */
    public JsonNode usage(String tenant) throws ApiException, InterruptedIOException {
        return json(request("/v1/tenants/" + encode(tenant) + "/usage").build());
    }

    /** A run's messages to its webhook. */
    public JsonNode webhookDeliveries(String id) throws ApiException, InterruptedIOException {
        return json(request("/v1/runs/" + id + "/webhooks").build());
    }

    /** Has a message to a run's webhook sent again, by the number of its event. */
    public JsonNode repeatWebhookDelivery(String id, long seq) throws ApiException, InterruptedIOException {
        return json(request("/v1/runs/" + id + "/webhooks/" + seq + "/repeat")
                .POST(HttpRequest.BodyPublishers.noBody())
                .build());
    }

    /** What is set for the webhooks of a tenant. */
    public JsonNode tenantWebhooks(String tenant) throws ApiException, InterruptedIOException {
        return json(request("/v1/tenants/" + encode(tenant) + "/webhooks").build());
    }

    /** Sets the webhook of a tenant's submissions that name none; answers as {@link #tenantWebhooks}. */
    public JsonNode setTenantWebhook(String tenant, JsonNode body) throws ApiException, InterruptedIOException {
        return json(request("/v1/tenants/" + encode(tenant) + "/webhooks")
                .header("Content-Type", "application/json")
                .PUT(HttpRequest.BodyPublishers.ofByteArray(ApiJson.bytes(body)))
                .build());
    }

    /**
     * Makes a key for the signatures of a tenant's webhooks; the answer is the only one that shows its secret.
     *
     * @param overlap how long the keys before it sign on, such as {@code 1h}; empty for the node's default
     */
    public JsonNode makeWebhookKey(String tenant, Optional<String> overlap)
            throws ApiException, InterruptedIOException {
        return json(
                request("/v1/tenants/" + encode(tenant) + "/webhooks/key"
                                + queryString(overlap.map(time -> List.of(Map.entry("overlap", time)))
                                        .orElse(List.of())))
                        .POST(HttpRequest.BodyPublishers.noBody())
                        .build(),
                RetryPolicy.NONE.begin());
    }

    /** Tenants that have quotas of their own, or runs that have not ended. */
    public JsonNode tenants() throws ApiException, InterruptedIOException {
        return json(request("/v1/tenants").build());
    }

    /** The last signed checkpoint of the log of all events. */
    public String auditCheckpoint() throws ApiException, InterruptedIOException {
        return text("/v1/audit/checkpoint");
    }

    /** What proves a run's history to a stranger. */
    public String proof(String id) throws ApiException, InterruptedIOException {
        return text("/v1/runs/" + id + "/proof");
    }

    /** What the last check of the whole log of events has found. */
    public JsonNode auditCheck() throws ApiException, InterruptedIOException {
        return json(request("/v1/audit/check").build());
    }

    /** Begins a check of the whole log of events, unless one is under way. */
    public JsonNode beginAuditCheck() throws ApiException, InterruptedIOException {
        return json(request("/v1/audit/check")
                .POST(HttpRequest.BodyPublishers.noBody())
                .build());
    }

    /** The legal holds that the caller may see. */
    public JsonNode holds() throws ApiException, InterruptedIOException {
        return json(request("/v1/audit/holds").build());
    }

    /** Puts a tenant under a legal hold; the body may have a reason. */
    public JsonNode putHold(String tenant, JsonNode body) throws ApiException, InterruptedIOException {
        return json(request("/v1/audit/holds/" + segment(tenant))
                .header("Content-Type", "application/json")
                .PUT(HttpRequest.BodyPublishers.ofByteArray(ApiJson.bytes(body)))
                .build());
    }

    /** Removes the legal hold of a tenant. */
    public JsonNode removeHold(String tenant) throws ApiException, InterruptedIOException {
        return json(request("/v1/audit/holds/" + segment(tenant)).DELETE().build());
    }

    /** A text as one part of a path. */
    private static String segment(String text) {
        return encode(text).replace("+", "%20");
    }

    private String text(String path) throws ApiException, InterruptedIOException {
        try (InputStream text = open(path, "text/plain", Map.of())) {
            byte[] bytes = text.readNBytes(ANSWER_BYTES_MAX + 1);
            if (bytes.length > ANSWER_BYTES_MAX) {
                throw new IOException("the answer is longer than " + ANSWER_BYTES_MAX + " bytes");
            }
            return new String(bytes, StandardCharsets.UTF_8);
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException lost) {
            throw unreachable(lost);
        }
    }

    /** The nodes of the cluster and their capacity. */
    public JsonNode nodes() throws ApiException, InterruptedIOException {
        return json(request("/v1/nodes").build());
    }

    /** The node's metrics, in Prometheus' text format. */
    public String metrics() throws ApiException, InterruptedIOException {
        try (InputStream metrics = open("/metrics", "text/plain", Map.of())) {
            return new String(metrics.readNBytes(ANSWER_BYTES_MAX), StandardCharsets.UTF_8);
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException lost) {
            throw unreachable(lost);
        }
    }

    /** A node's health, as a client sees it. */
    public enum Health {
        /** It is ready for work. */
        READY,
        /** It answers, but is not ready. */
        ALIVE,
        /** It does not answer. */
        SILENT
    }

    /** The node's health now, from one request. */
    public Health health() throws InterruptedIOException {
        try {
            HttpResponse<InputStream> answer = send(request("/health/ready").build());
            answer.body().close();
            return answer.statusCode() == 200 ? Health.READY : Health.ALIVE;
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException silent) {
            return Health.SILENT;
        }
    }

    /**
     * A run's output on one stream, byte for byte; the caller closes it. Not resumed when the connection is lost; use
     * {@link OutputFollower} for that.
     *
     * @param mode whether to wait for further output
     */
    public InputStream output(String id, OutputChunkView.Stream stream, OutputFollower.Mode mode)
            throws ApiException, InterruptedIOException {
        String path = "/v1/runs/" + id + "/output"
                + queryString(List.of(
                        Map.entry("stream", stream.name().toLowerCase(Locale.ROOT)),
                        Map.entry("follow", Boolean.toString(mode == OutputFollower.Mode.TO_THE_END))));
        try {
            return open(path, "application/octet-stream", Map.of());
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException lost) {
            throw unreachable(lost);
        }
    }

    /** Converts a run to the API's type. */
    public RunView view(JsonNode run) throws ApiException {
        return read(run, RunView.class);
    }

    /** Converts an answer to an API type. */
    public <T> T read(JsonNode answer, Class<T> type) throws ApiException {
        try {
            return ApiJson.as(answer, type);
        } catch (JsonProcessingException malformed) {
            throw garbled(malformed);
        }
    }

    /** One attempt to open a stream, which the caller closes. An {@link IOException} means that it can be retried. */
    InputStream open(String path, String accept, Map<String, String> headers) throws IOException, ApiException {
        HttpRequest.Builder request = request(path).setHeader("Accept", accept);
        headers.forEach(request::setHeader);
        HttpResponse<InputStream> response = send(request.build());
        if (response.statusCode() == 200) {
            return response.body();
        }
        try (InputStream body = response.body()) {
            byte[] bytes = body.readNBytes(ANSWER_BYTES_MAX);
            if (isPassing(response.statusCode())) {
                throw new IOException("the node answers " + response.statusCode());
            }
            throw refused(response.statusCode(), bytes);
        }
    }

    RetryPolicy.Tries tries() {
        return retries.begin();
    }

    ApiException.NodeUnreachable unreachable(IOException cause) {
        return new ApiException.NodeUnreachable(server, reason(cause));
    }

    ApiException.Garbled garbled(JsonProcessingException malformed) {
        return new ApiException.Garbled(server, malformed.getOriginalMessage());
    }

    /**
     * Whether to retry after a failure; not when a node that has never answered cannot be connected to, or is not
     * trusted.
     */
    boolean isWorthRetrying(IOException failure) {
        boolean notReached = failure instanceof ConnectException || failure instanceof SSLHandshakeException;
        return contact == Contact.ANSWERED || !notReached;
    }

    private HttpRequest.Builder request(String path) {
        String base = transport.base().toString().replaceFirst("/+$", "");
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path))
                .timeout(answerTimeout)
                .header("Accept", "application/json");
        return credentials
                .token()
                .map(token -> request.header("Authorization", "Bearer " + token))
                .orElse(request);
    }

    private JsonNode json(HttpRequest request) throws ApiException, InterruptedIOException {
        return json(request, retries.begin());
    }

    private JsonNode json(HttpRequest request, RetryPolicy.Tries tries) throws ApiException, InterruptedIOException {
        return exchange(request, tries, response -> ApiJson.parse(body(response)));
    }

    /** Reads the answer to a request that was successful. An {@link IOException} means that it can be retried. */
    private interface Reading<T> {
        T of(HttpResponse<InputStream> response) throws IOException;
    }

    private <T> T exchange(HttpRequest request, RetryPolicy.Tries tries, Reading<T> reading)
            throws ApiException, InterruptedIOException {
        while (true) {
            IOException failure;
            Duration asked = Duration.ZERO;
            try {
                HttpResponse<InputStream> response = send(request);
                int status = response.statusCode();
                if (status / 100 == 2) {
                    return reading.of(response);
                }
                byte[] body = body(response);
                asked = retryAfter(response);
                boolean hopeless = !isPassing(status) || (status == 429 && asked.isZero());
                if (hopeless || !tries.waitToRetry(asked)) {
                    throw refused(status, body);
                }
                continue;
            } catch (JsonProcessingException malformed) {
                throw garbled(malformed);
            } catch (InterruptedIOException interrupted) {
                throw interrupted;
            } catch (IOException lost) {
                failure = lost;
            }
            if (!isWorthRetrying(failure) || !tries.waitToRetry(asked)) {
                throw unreachable(failure);
            }
        }
    }

    private HttpResponse<InputStream> send(HttpRequest request) throws IOException {
        try {
            HttpResponse<InputStream> response = transport.send(request);
            contact = Contact.ANSWERED;
            return response;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    private static byte[] body(HttpResponse<InputStream> response) throws IOException {
        try (InputStream body = response.body()) {
            byte[] bytes = body.readNBytes(ANSWER_BYTES_MAX + 1);
            if (bytes.length > ANSWER_BYTES_MAX) {
                throw new IOException("the answer is longer than " + ANSWER_BYTES_MAX + " bytes");
            }
            return bytes;
        }
    }

    /** The status is that of a temporary condition. */
    private static boolean isPassing(int status) {
        return status == 429 || status == 502 || status == 503 || status == 504;
    }

    private static Duration retryAfter(HttpResponse<?> response) {
        String seconds = response.headers().firstValue("Retry-After").orElse("");
        return seconds.matches("\\d{1,6}") ? Duration.ofSeconds(Long.parseLong(seconds)) : Duration.ZERO;
    }

    private ApiException refused(int status, byte[] body) {
        try {
            JsonNode json = ApiJson.parse(body);
            if (json.isObject() && json.hasNonNull("title")) {
                List<Problem.FieldError> errors = new ArrayList<>();
                json.path("errors")
                        .forEach(error -> errors.add(new Problem.FieldError(
                                error.path("field").asText(),
                                error.path("message").asText())));
                return new ApiException.Refused(new Problem(
                        json.path("type").asText(),
                        json.path("title").asText(),
                        status,
                        json.path("detail").asText(),
                        errors));
            }
        } catch (JsonProcessingException notJson) {
            return new ApiException.Garbled(server, "status " + status + " without an explanation");
        }
        return new ApiException.Garbled(server, "status " + status + " without an explanation");
    }

    private String reason(IOException cause) {
        // A socket's message says whether it is missing, unused, or closed to this user.
        if (cause instanceof ConnectException && LocalServer.socketOf(server).isEmpty()) {
            return "connection refused";
        }
        String message = cause.getMessage();
        String text = message == null ? cause.getClass().getSimpleName() : message;
        if (text.contains(SILENCE)) {
            return text + "; a node with TLS is at an address of https";
        }
        return cause instanceof SSLHandshakeException
                ? "it is not trusted, or speaks no TLS (" + text + "); " + Trust.VARIABLE
                        + " names a file with the authority of its certificate"
                : text;
    }

    static String queryString(List<Map.Entry<String, String>> query) {
        if (query.isEmpty()) {
            return "";
        }
        return query.stream()
                .map(entry -> encode(entry.getKey()) + "=" + encode(entry.getValue()))
                .collect(Collectors.joining("&", "?", ""));
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
