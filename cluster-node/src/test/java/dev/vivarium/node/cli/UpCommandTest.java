package dev.vivarium.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.node.NodeOptions;
import dev.vivarium.node.RunningNode;
import dev.vivarium.terminal.Interrupts;
import dev.vivarium.terminal.Terminal;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.Done;
import org.junit.jupiter.api.Test;

class UpCommandTest {
    private final CommandLineFixture line = new CommandLineFixture();
    private final CopyOnWriteArrayList<String> calls = new CopyOnWriteArrayList<>();
    private final AtomicReference<NodeOptions> options = new AtomicReference<>();
    private final CompletableFuture<Done> gone = new CompletableFuture<>();

    private CompletableFuture<Integer> up(String... arguments) {
        line.launcher = given -> {
            options.set(given);
            return new RecordedNode();
        };
        return CompletableFuture.supplyAsync(() -> line.run(arguments));
    }

    @Test
    void printsItsUrlAndDrainsOnCtrlC() {
        CompletableFuture<Integer> up = up("up", "--port", "0", "--data", "d", "--set", "vivarium.run.live-max=5");

        Interrupts.Listener listener = line.interrupts.join();
        await().until(() -> line.printed().contains("http://127.0.0.1:4711"));
        listener.interrupted(1);
        assertThat(line.noted()).contains("up to 30 s").contains("Ctrl-C again");
        gone.complete(Done.getInstance());

        assertThat(up.join()).isZero();
        assertThat(calls).containsExactly("drain PT30S", "close");
        assertThat(options.get())
                .isEqualTo(new NodeOptions(
                        "127.0.0.1",
                        0,
                        Path.of("d").toAbsolutePath(),
                        Path.of("home").resolve("token"),
                        Path.of("home").resolve("socket").resolve("api.sock"),
                        Optional.empty(),
                        Map.of("vivarium.run.live-max", "5")));
    }

    @Test
    void theSecondCtrlCEndsImmediately() {
        CompletableFuture<Integer> up = up("up", "--drain", "5m");

        Interrupts.Listener listener = line.interrupts.join();
        listener.interrupted(1);
        listener.interrupted(2);

        assertThat(up.join()).isZero();
        assertThat(calls).startsWith("drain PT5M", "close");
        assertThat(options.get().dataDir()).isEqualTo(line.home.resolve("data").toAbsolutePath());
    }

    @Test
    void aNodeThatCannotStartReportsTheReason() {
        assertThat(line.run("up")).isEqualTo(69);
        assertThat(line.noted()).contains("This test starts no node.");
    }

    @Test
    void aNodeThatEndsWithADefectFails() {
        CompletableFuture<Integer> up = up("up");
        line.interrupts.join();
        gone.completeExceptionally(new IllegalStateException("the store is gone"));

        assertThat(up.join()).isEqualTo(70);
        assertThat(line.noted()).contains("the store is gone");
    }

    @Test
    void optionsForTlsAreThoseOfTheConfiguration() {
        CompletableFuture<Integer> up =
                up("up", "--certificate", "/tls/node.crt", "--key", "/tls/node.key", "--insecure-tokens-in-clear-text");
        line.interrupts.join();
        gone.complete(Done.getInstance());

        assertThat(up.join()).isZero();
        assertThat(options.get().overrides())
                .containsEntry("vivarium.http.tls.certificate", "/tls/node.crt")
                .containsEntry("vivarium.http.tls.key", "/tls/node.key")
                .containsEntry("vivarium.http.insecure-tokens-in-clear-text", "on");
    }

    @Test
    void aNewTokenOfThisMachineIsNotWrittenToALog() {
        CompletableFuture<Integer> up = up("up");
        line.interrupts.join();
        gone.complete(Done.getInstance());

        assertThat(up.join()).isZero();
        assertThat(line.noted()).doesNotContain("viv_new").contains("`vivarium token show-local`");
    }

    @Test
    void aNewTokenOfThisMachineIsShownOnceOnATerminal() {
        line.kind = Terminal.Kind.TERMINAL;
        CompletableFuture<Integer> up = up("up");
        line.interrupts.join();
        gone.complete(Done.getInstance());

        assertThat(up.join()).isZero();
        assertThat(line.noted()).containsOnlyOnce("Authorization: Bearer viv_new");
    }

    private final class RecordedNode implements RunningNode {
        @Override
        public URI uri() {
            return URI.create("http://127.0.0.1:4711");
        }

        @Override
        public Optional<String> newLocalToken() {
            return Optional.of("viv_new");
        }

        @Override
        public CompletionStage<Done> drain(Duration atMost) {
            calls.add("drain " + atMost);
            return gone;
        }

        @Override
        public CompletionStage<Done> terminated() {
            return gone;
        }

        @Override
        public void close() {
            calls.add("close");
            gone.complete(Done.getInstance());
        }
    }
}
