package dev.vivarium.node.http.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.auth.TokenId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;

/** Which connection makes room for a new one. */
class OpenConnectionsTest {
    private static final KnownCaller CALLER = KnownCaller.of(Identity.LOCAL_OPERATOR);
    private static final HttpRequest SHORT = HttpRequest.create();
    private static final HttpRequest WITH_A_BODY = HttpRequest.create()
            .withEntity(HttpEntities.createChunked(ContentTypes.APPLICATION_JSON, Source.<ByteString>maybe()));

    private long nanos;
    private final OpenConnections connections = new OpenConnections(4, 100, () -> nanos);
    private final List<String> closed = new ArrayList<>();

    @Test
    void strangersMakeRoomFirstThenIdleCallersThenBodiesAndAnswersNever() {
        receiving("body");
        pass(Duration.ofMillis(1));
        working("answer");
        pass(Duration.ofMillis(1));
        OpenConnections.Place idle = working("idle");
        idle.answered();
        pass(Duration.ofMillis(1));
        stranger("stranger");

        for (int more = 0; more < 5; more++) {
            pass(Duration.ofSeconds(2));
            working("new");
        }

        assertThat(closed).startsWith("stranger", "idle", "body").doesNotContain("answer");
    }

    @Test
    void theOneThatHasWaitedLongestMakesRoom() {
        for (String name : List.of("first", "second", "third", "fourth")) {
            stranger(name);
            pass(Duration.ofSeconds(2));
        }

        assertThat(stranger("fifth").isCrowded()).isFalse();
        assertThat(closed).containsExactly("first");
        assertThat(connections.count()).isEqualTo(4);
        assertThat(connections.displaced()).isEqualTo(1);
    }

    @Test
    void aConnectionHasAMomentForItsRequest() {
        for (int connection = 0; connection < 4; connection++) {
            stranger("young");
        }

        assertThat(stranger("fifth").isCrowded()).isTrue();
        assertThat(closed).isEmpty();
    }

    @Test
    void beyondTheReserveEvenAYoungOneMakesRoom() {
        for (int connection = 0; connection < 100; connection++) {
            stranger("young");
        }

        assertThat(connections.count()).isEqualTo(4 + OpenConnections.RESERVE);
    }

    @Test
    void anAnswerThatIsNotReadMakesRoomInTheEnd() {
        OpenConnections many = new OpenConnections(1, 3, () -> nanos);
        OpenConnections.Place unread = many.open();
        unread.begin(SHORT);
        unread.passed(CALLER);
        unread.unread();
        pass(OpenConnections.UNREAD.minusNanos(1));
        assertThat(many.open().isCrowded()).isTrue();

        OpenConnections few = new OpenConnections(1, 3, () -> nanos);
        OpenConnections.Place other = few.open();
        other.begin(SHORT);
        other.passed(CALLER);
        other.unread();
        pass(OpenConnections.UNREAD);
        assertThat(few.open().isCrowded()).isFalse();
    }

    @Test
    void aCallerHasItsShareAndGetsItBack() {
        OpenConnections shared = new OpenConnections(4, 2, () -> nanos);
        OpenConnections.Place first = shared.open();
        assertThat(first.passed(CALLER)).isTrue();
        assertThat(shared.open().passed(CALLER)).isTrue();
        OpenConnections.Place third = shared.open();
        assertThat(third.passed(CALLER)).isFalse();

        first.closed();
        first.closed();

        assertThat(third.passed(CALLER)).isTrue();
        assertThat(shared.open().passed(CALLER)).isFalse();
    }

    @Test
    void tokensOfOneNameHaveSharesOfTheirOwn() {
        OpenConnections shared = new OpenConnections(4, 1, () -> nanos);
        KnownCaller elsewhere = new KnownCaller(
                CALLER.principal(), new Tenant("another"), Optional.of(new TokenId("0123456789abcdef")));
        assertThat(shared.open().passed(CALLER)).isTrue();

        assertThat(shared.open().passed(elsewhere)).isTrue();
        assertThat(shared.open().passed(elsewhere)).isFalse();
    }

    private void pass(Duration time) {
        nanos += time.toNanos();
    }

    private OpenConnections.Place stranger(String name) {
        OpenConnections.Place place = connections.open();
        place.carriedBy(() -> {
            closed.add(name);
            place.closed();
        });
        return place;
    }

    private OpenConnections.Place working(String name) {
        OpenConnections.Place place = stranger(name);
        place.begin(SHORT);
        place.passed(CALLER);
        return place;
    }

    private OpenConnections.Place receiving(String name) {
        OpenConnections.Place place = stranger(name);
        place.begin(WITH_A_BODY);
        place.passed(CALLER);
        return place;
    }
}
