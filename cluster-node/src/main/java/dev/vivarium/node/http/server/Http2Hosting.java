package dev.vivarium.node.http.server;

import dev.vivarium.node.http.server.http2.Hosting;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.function.Function;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.util.ByteString;

/** Serves a connection of HTTP/2: each of its streams has a place among the {@link OpenConnections}, and a server of its own. */
final class Http2Hosting implements Hosting {
    private final OpenConnections.Place connection;
    private final Function<OpenConnections.Place, Flow<ByteString, ByteString, NotUsed>> server;
    private final Duration requestWait;
    private final MeterRegistry metrics;

    /**
     * @param server serves one stream, which has this place
     * @param requestWait the longest time without a request
     * @param metrics where connections are counted that ended by an error
     */
    Http2Hosting(
            OpenConnections.Place connection,
            Function<OpenConnections.Place, Flow<ByteString, ByteString, NotUsed>> server,
            Duration requestWait,
            MeterRegistry metrics) {
        this.connection = connection;
        this.server = server;
        this.requestWait = requestWait;
        this.metrics = metrics;
    }

    @Override
    public Seat open(Runnable end, Runnable known) {
        OpenConnections.Place place = connection.stream(known);
        place.carriedBy(end);
        return new Seat() {
            @Override
            public Flow<ByteString, ByteString, NotUsed> server() {
                return server.apply(place);
            }

            @Override
            public void unread() {
                place.unread();
            }

            @Override
            public void read() {
                place.read();
            }

            @Override
            public boolean isInVain() {
                return place.isInVain();
            }

            @Override
            public void closed() {
                place.closed();
            }
        };
    }

    @Override
    public void served(Runnable leave, Runnable gone) {
        connection.servedBy(new OpenConnections.Requester() {
            @Override
            public void leave() {
                leave.run();
            }

            @Override
            public void cutOff() {
                // Its streams are cut off with an answer, and then it ends.
                leave.run();
            }

            @Override
            public void gone() {
                gone.run();
            }
        });
    }

    @Override
    public void leaving() {
        connection.leaving();
    }

    @Override
    public void failed(String code) {
        metrics.counter("vivarium.http.http2.errors", "code", code).increment();
    }

    @Override
    public Duration requestWait() {
        return connection.isCrowded() ? OpenConnections.CROWDED_WAIT : requestWait;
    }
}
