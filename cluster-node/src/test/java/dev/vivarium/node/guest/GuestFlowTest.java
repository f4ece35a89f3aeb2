package dev.vivarium.node.guest;

import static dev.vivarium.node.guest.TestGuest.sh;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.guest.GuestFrame.Exited;
import dev.vivarium.protocol.guest.GuestFrame.OutputClosed;
import dev.vivarium.protocol.guest.GuestFrame.Pong;
import dev.vivarium.protocol.guest.NodeFrame;
import dev.vivarium.protocol.guest.NodeFrame.Credit;
import dev.vivarium.protocol.guest.NodeFrame.Stream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Output stays within its credit, and memory within its limits. */
class GuestFlowTest {
    private static final int MEBIBYTE = 1 << 20;

    private final TestGuest guest = TestGuest.start();

    @AfterEach
    void end() {
        guest.close();
    }

    @Test
    void anIdleGuestNeedsLessThanAMebibyte() throws IOException {
        assertThat(guest.residentBytes()).isPositive().isLessThan(MEBIBYTE);
    }

    @Test
    void aFloodStopsAtItsCreditAndNeedsNoMemory() throws IOException {
        guest.send(new SpawnBuilder(1, "yes").windowBytes(100_000).build());

        guest.awaitOutputBytes(1, 100_000);
        guest.send(new NodeFrame.Ping(1));
        guest.await(Pong.class);

        assertThat(guest.output(1, Stream.STDOUT)).hasSize(100_000);
        assertThat(guest.residentBytes()).isLessThan(MEBIBYTE);
    }

    @Test
    void furtherCreditContinuesWithoutLoss() {
        byte[] expected = IntStream.rangeClosed(1, 200_000)
                .mapToObj(Integer::toString)
                .collect(Collectors.joining("\n", "", "\n"))
                .getBytes(StandardCharsets.UTF_8);
        guest.send(new SpawnBuilder(1, "seq", "1", "200000").windowBytes(0).build());
        Random sizes = new Random(5);
        int granted = 0;
        while (granted < expected.length) {
            int more = Math.min(expected.length - granted, 1 + sizes.nextInt(150_000));
            guest.send(new Credit(1, Stream.STDOUT, more));
            granted += more;
            guest.awaitOutputBytes(1, granted);
            assertThat(guest.output(1, Stream.STDOUT)).hasSize(granted);
        }

        guest.await(OutputClosed.class, closed -> closed.stream() == Stream.STDOUT);
        assertThat(guest.output(1, Stream.STDOUT)).isEqualTo(expected);
    }

    @Test
    void theEndOfAStreamIsReportedAlthoughItsCreditIsUsedUp() {
        guest.send(new SpawnBuilder(1, "sh", "-c", "printf 12345; exec >&-; read line")
                .windowBytes(5)
                .build());

        guest.await(OutputClosed.class, closed -> closed.stream() == Stream.STDOUT);
        assertThat(guest.text(1, Stream.STDOUT)).isEqualTo("12345");
        assertThat(guest.give(Exited.class, exited -> true)).isEmpty();
    }

    @Test
    void theEndOfAStreamIsNotReportedBeforeItsLastBytes() {
        guest.send(new SpawnBuilder(1, "printf", "1234567").windowBytes(5).build());
        guest.awaitExit(1);
        guest.send(new NodeFrame.Ping(1));
        guest.await(Pong.class);
        assertThat(guest.give(OutputClosed.class, closed -> closed.stream() == Stream.STDOUT))
                .isEmpty();

        guest.send(new Credit(1, Stream.STDOUT, 2));
        assertThat(guest.stdoutOf(1)).isEqualTo("1234567");
    }

    @Test
    void eachStreamOfAProcessHasItsOwnCredit() {
        guest.send(new SpawnBuilder(1, "sh", "-c", "yes & yes wrong >&2")
                .windowBytes(10)
                .build());
        guest.awaitOutputBytes(1, 10);
        guest.send(new Credit(1, Stream.STDERR, 90));

        TestGuest.waiting("stderr").until(() -> guest.output(1, Stream.STDERR).length == 100);
        assertThat(guest.output(1, Stream.STDOUT)).hasSize(10);
    }

    @Test
    void aFloodDoesNotStarveOtherProcesses() {
        guest.send(sh(1, "yes"), sh(2, "yes >&2"));
        guest.awaitOutputBytes(1, MEBIBYTE);

        assertThat(guest.run(3, "echo heard")).isEqualTo("heard");
        guest.send(new NodeFrame.KillAll(0));
    }

    @Test
    void binaryOutputIsUnchanged() {
        guest.send(sh(1, "printf '\\0\\1\\377\\n\\r\\200'"));
        guest.await(OutputClosed.class, closed -> closed.stream() == Stream.STDOUT);

        assertThat(guest.output(1, Stream.STDOUT)).containsExactly(0, 1, 0xff, '\n', '\r', 0x80);
    }
}
