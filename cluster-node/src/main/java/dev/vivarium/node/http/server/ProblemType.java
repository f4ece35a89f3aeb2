package dev.vivarium.node.http.server;

/** The kinds of problems. Their names are part of the API and never change. */
public enum ProblemType {
    INVALID_RUN(400, "invalid-run", "The run cannot be accepted as described"),
    INVALID_RENEWAL(400, "invalid-renewal", "The deadline cannot be moved as described"),
    MALFORMED_JSON(400, "malformed-json", "The body is not JSON"),
    INVALID_TOKEN(400, "invalid-token-request", "The token cannot be made as described"),
    INVALID_SECRET(400, "invalid-secret", "The secret cannot be kept as described"),
    INVALID_HOLD(400, "invalid-hold", "The hold cannot be put as described"),
    INVALID_TENANT(400, "invalid-tenant", "The path names no tenant"),
    INVALID_QUOTAS(400, "invalid-quotas", "The quotas cannot be set as described"),
    INVALID_WEBHOOK(400, "invalid-webhook", "The webhook cannot be set as described"),
    INVALID_QUERY(400, "invalid-query", "The query is wrong"),
    INVALID_HEADER(400, "invalid-header", "A header is wrong"),
    INVALID_DIGEST(400, "invalid-digest", "The path names no digest"),
    MALFORMED_REQUEST(400, "malformed-request", "The request is malformed"),
    UNAUTHENTICATED(401, "unauthenticated", "The caller is not known"),
    FORBIDDEN(403, "forbidden", "The caller may not do this"),
    CROSS_SITE(403, "cross-site-request", "The request comes from another web site"),
    NO_SUCH_RUN(404, "no-such-run", "There is no such run"),
    NO_SUCH_TOKEN(404, "no-such-token", "There is no such token"),
    NO_SUCH_SECRET(404, "no-such-secret", "There is no such secret"),
    NO_SUCH_HOLD(404, "no-such-hold", "There is no such hold"),
    NO_SUCH_BLOB(404, "no-such-blob", "There is no such content"),
    NO_SUCH_ARTIFACT(404, "no-such-artifact", "The run has no such file"),
    DELETED(410, "deleted", "It was deleted"),
    NO_SUCH_DELIVERY(404, "no-such-delivery", "The run has no such message to a webhook"),
    NO_SUCH_TILE(404, "no-such-tile", "The log's tree has no such tile"),
    NO_CHECKPOINT(404, "no-checkpoint", "No checkpoint of the log is signed"),
    NO_SUCH_RESOURCE(404, "no-such-resource", "There is nothing here"),
    METHOD_NOT_ALLOWED(405, "method-not-allowed", "The method is not allowed here"),
    NOT_ACCEPTABLE(406, "not-acceptable", "Nothing here in the media types that the client accepts"),
    BODY_TIMEOUT(408, "body-timeout", "The body did not arrive in time"),
    IDEMPOTENCY_CONFLICT(409, "idempotency-conflict", "Another submission was sent under this idempotency key"),
    DEADLINE_STAYS(409, "deadline-stays", "The deadline was not moved"),
    RUN_NOT_ENDED(409, "run-not-ended", "The run has not ended"),
    HELD(409, "held", "The tenant is under a legal hold"),
    BLOB_IN_USE(409, "blob-in-use", "A run has the content"),
    BODY_TOO_LARGE(413, "body-too-large", "The body is too large"),
    UNSUPPORTED_MEDIA_TYPE(415, "unsupported-media-type", "The body's media type is not supported"),
    UNKNOWN_HOST(421, "unknown-host", "The node does not go by this name"),
    DIGEST_MISMATCH(422, "digest-mismatch", "The content has another digest"),
    NODE_FULL(429, "node-full", "The node is full"),
    TENANT_FULL(429, "tenant-full", "The tenant has its most runs waiting"),
    OVER_QUOTA(429, "over-quota", "The tenant would be over a quota"),
    WEBHOOKS_FULL(429, "webhooks-full", "Too many messages to webhooks wait"),
    TOO_MANY_TENANTS(409, "too-many-tenants", "Quotas are set for as many tenants as may be"),
    TOO_MANY_TOKENS(409, "too-many-tokens", "The installation has as many tokens as it may"),
    TOO_MANY_SECRETS(409, "too-many-secrets", "The tenant has as many secrets as it may"),
    TOO_MANY_HOLDS(409, "too-many-holds", "As many tenants are held as may be"),
    INTERNAL(500, "internal-error", "The node failed"),
    STORE_UNAVAILABLE(503, "store-unavailable", "The store does not answer"),
    ISSUER_UNAVAILABLE(503, "issuer-unavailable", "The issuer of the token does not answer"),
    LOG_REFUSED(503, "log-refused", "The log is not the one that this node has seen"),
    LOG_BEHIND(503, "log-behind", "The log does not have these events yet"),
    DRAINING(503, "draining", "The node takes no new runs"),
    NOT_READY(503, "not-ready", "The node is not ready"),
    TIMEOUT(503, "timeout", "The node did not answer in time");

    private static final String BASE = "https://vivarium.dev/problems/";

    private final int status;
    private final String name;
    private final String title;

    ProblemType(int status, String name, String title) {
        this.status = status;
        this.name = name;
        this.title = title;
    }

    /** The usual status. */
    public int status() {
        return status;
    }

    /** The type's URI; never changes. */
    public String uri() {
        return BASE + name;
    }

    String title() {
        return title;
    }
}
