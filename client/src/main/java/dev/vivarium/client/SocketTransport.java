package dev.vivarium.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import javax.net.ssl.SSLSession;

/**
 * To a Unix domain socket, which the JDK's client of HTTP does not know: one connection for each request, and HTTP/1.1 as far as a
 * node speaks it. Nothing is sent before the kernel has said that the node is of the caller's own user or of root: another user
 * could have put a socket there, and would be handed the caller's submissions and token.
 */
final class SocketTransport implements Transport {
    /** Its owner is the user of this process. */
    private static final Path SELF = Path.of("/proc/self");

    private static final String ROOT = "0";
    /** Answers that come before the answer, such as 100. */
    private static final int INTERIM_MAX = 8;

    private final Path socket;

    SocketTransport(Path socket) {
        this.socket = socket;
    }

    /** A name that every node knows as its own. */
    @Override
    public URI base() {
        return URI.create("http://localhost");
    }

    @Override
    public HttpResponse<InputStream> send(HttpRequest request) throws IOException, InterruptedException {
        SocketConnection connection = SocketConnection.open(socket);
        try {
            requireTrusted(connection.peer());
            request.timeout().ifPresent(connection::waitAtMost);
            return exchange(request, connection);
        } catch (IOException | RuntimeException | InterruptedException failed) {
            connection.close();
            throw failed;
        }
    }

    private void requireTrusted(UserPrincipal peer) throws IOException {
        UserPrincipal root =
                FileSystems.getDefault().getUserPrincipalLookupService().lookupPrincipalByName(ROOT);
        if (!peer.equals(root) && !peer.equals(Files.getOwner(SELF))) {
            throw new ConnectException(
                    peer.getName() + " listens there, who is neither you nor root, and nothing was sent");
        }
    }

    private static HttpResponse<InputStream> exchange(HttpRequest request, SocketConnection connection)
            throws IOException, InterruptedException {
        Optional<IOException> unsent = write(request, connection);
        AnswerBody answer = new AnswerBody(connection);
        try {
            AnswerHead head = AnswerHead.read(answer::line);
            for (int interim = 0; head.status() < 200; interim++) {
                if (interim == INTERIM_MAX) {
                    throw new IOException("the answer does not come after " + INTERIM_MAX + " that come before it");
                }
                head = AnswerHead.read(answer::line);
            }
            connection.waitForEver();
            answer.begin(head);
            return new Answer(request, head.status(), head.headers(), answer);
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException unread) {
            throw unsent.orElse(unread);
        }
    }

    /** A node may answer, and close the connection, before it has read everything; then the answer says why. */
    private static Optional<IOException> write(HttpRequest request, SocketConnection connection)
            throws IOException, InterruptedException {
        BodyPublisher body = request.bodyPublisher().orElseGet(HttpRequest.BodyPublishers::noBody);
        try {
            connection.write(ByteBuffer.wrap(head(request, body).getBytes(StandardCharsets.ISO_8859_1)));
        } catch (InterruptedIOException interrupted) {
            throw interrupted;
        } catch (IOException unsent) {
            return Optional.of(unsent);
        }
        Writing writing = new Writing(connection);
        body.subscribe(writing);
        try {
            return writing.unsent.get();
        } catch (ExecutionException unreadable) {
            throw unreadable.getCause() instanceof InterruptedIOException interrupted
                    ? interrupted
                    : new IOException("what was to be sent cannot be read", unreadable.getCause());
        }
    }

    private static String head(HttpRequest request, BodyPublisher body) {
        URI uri = request.uri();
        StringBuilder head = new StringBuilder(request.method()).append(' ').append(uri.getRawPath());
        if (uri.getRawQuery() != null) {
            head.append('?').append(uri.getRawQuery());
        }
        head.append(" HTTP/1.1\r\nHost: ").append(uri.getRawAuthority()).append("\r\nConnection: close\r\n");
        if (request.bodyPublisher().isPresent()) {
            head.append("Content-Length: ").append(body.contentLength()).append("\r\n");
        }
        request.headers()
                .map()
                .forEach((name, values) -> values.forEach(
                        value -> head.append(name).append(": ").append(value).append("\r\n")));
        return head.append("\r\n").toString();
    }

    /** Writes a body as it comes, in the thread that asks for it. */
    private static final class Writing implements Flow.Subscriber<ByteBuffer> {
        private final SocketConnection connection;
        /** Completes at the end, with why the connection took no more; fails when there is no more to be had. */
        private final CompletableFuture<Optional<IOException>> unsent = new CompletableFuture<>();

        private Optional<Flow.Subscription> subscription = Optional.empty();

        private Writing(SocketConnection connection) {
            this.connection = connection;
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = Optional.of(given);
            given.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(ByteBuffer bytes) {
            try {
                connection.write(bytes);
            } catch (InterruptedIOException interrupted) {
                subscription.ifPresent(Flow.Subscription::cancel);
                unsent.completeExceptionally(interrupted);
            } catch (IOException closed) {
                subscription.ifPresent(Flow.Subscription::cancel);
                unsent.complete(Optional.of(closed));
            }
        }

        @Override
        public void onError(Throwable failure) {
            unsent.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            unsent.complete(Optional.empty());
        }
    }

    /** An answer, as the JDK's client gives it. */
    private record Answer(HttpRequest request, int statusCode, HttpHeaders headers, InputStream body)
            implements HttpResponse<InputStream> {
        @Override
        public Optional<HttpResponse<InputStream>> previousResponse() {
            return Optional.empty();
        }

        @Override
        public Optional<SSLSession> sslSession() {
            return Optional.empty();
        }

        @Override
        public URI uri() {
            return request.uri();
        }

        @Override
        public HttpClient.Version version() {
            return HttpClient.Version.HTTP_1_1;
        }
    }
}
