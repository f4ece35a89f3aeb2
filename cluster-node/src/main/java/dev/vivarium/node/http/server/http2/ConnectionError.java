package dev.vivarium.node.http.server.http2;

/** What ends the whole connection: its peer breaks the protocol, or takes more than its share. */
final class ConnectionError extends Exception {
    private final ErrorCode code;

    ConnectionError(ErrorCode code, String message) {
        super(message, null, false, false);
        this.code = code;
    }

    ErrorCode code() {
        return code;
    }
}
