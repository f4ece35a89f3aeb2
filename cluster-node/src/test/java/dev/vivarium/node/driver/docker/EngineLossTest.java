package dev.vivarium.node.driver.docker;

import static dev.vivarium.node.driver.docker.TestSandboxes.failure;
import static dev.vivarium.node.driver.docker.TestSandboxes.newId;
import static dev.vivarium.node.driver.docker.TestSandboxes.outcome;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.vivarium.node.clock.NodeClock;
import dev.vivarium.node.driver.ChannelListener.Cause;
import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.DriverException.Kind;
import dev.vivarium.node.driver.Purpose;
import dev.vivarium.node.driver.RecordingListener;
import dev.vivarium.node.driver.Selection;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

class EngineLossTest {
    @RegisterExtension
    final TestSandboxes sandboxes = new TestSandboxes(config -> config.withResponseTimeout(Duration.ofSeconds(2)));

    @TempDir
    private Path folder;

    private DockerDriver driver;

    @AfterEach
    void closeDriver() {
        if (driver != null) {
            driver.close();
        }
    }

    @Test
    void aMissingEngineIsUnavailable() {
        for (String nowhere : new String[] {"unix://" + folder + "/nothing.sock", "tcp://127.0.0.1:1"}) {
            driver = open(URI.create(nowhere));

            assertThat(driver.capabilities().isolations()).isEmpty();
            assertThat(creationFailure()).hasMessageContaining("Is it running?");
            assertThat(creationFailure().kind()).isEqualTo(Kind.ENGINE_UNAVAILABLE);
            assertThat(failure(driver.destroy(newId())).kind()).isEqualTo(Kind.ENGINE_UNAVAILABLE);
            assertThat(failure(driver.list(new Selection.All())).kind()).isEqualTo(Kind.ENGINE_UNAVAILABLE);
            driver.close();
        }
    }

    @Test
    void anInvalidAddressIsRefusedImmediately() {
        for (String wrong : new String[] {"ssh://host", "tcp://host", "npipe://./pipe", "relative"}) {
            assertThatThrownBy(() -> open(URI.create(wrong)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("must be unix:///path or tcp://host:port");
        }
    }

    @Test
    void aBrokenConnectionIsNotTakenForAnEndedSandboxAndLaterCallsReconnect() throws Exception {
        try (EngineProxy proxy = EngineProxy.unix(folder)) {
            // given
            driver = open(proxy.uri());
            Live sandbox = TestSandboxes.create(driver, newId(), sandboxes.template());

            // when
            proxy.cut();

            // then
            assertThat(sandbox.heard().awaitClosed().cause()).isEqualTo(Cause.ENGINE_LOST);
            assertThat(failure(driver.destroy(sandbox.id())).kind()).isEqualTo(Kind.ENGINE_UNAVAILABLE);
            Awaitility.await().until(() -> sandboxes.containers().isEmpty());

            proxy.resume();
            outcome(driver.destroy(sandbox.id()));
            Live next = TestSandboxes.create(driver, newId(), sandboxes.template());
            assertThat(next.python(1, "print('back')")).isEqualTo("back");
            outcome(driver.destroy(next.id()));
        }
    }

    @Test
    void anEngineThatStopsAnsweringIsUnavailableAfterTheTimeout() throws Exception {
        try (EngineProxy proxy = EngineProxy.unix(folder)) {
            // given
            driver = open(proxy.uri());
            Live sandbox = TestSandboxes.create(driver, newId(), sandboxes.template());

            // when
            proxy.silence();

            // then
            assertThat(creationFailure().kind()).isEqualTo(Kind.ENGINE_UNAVAILABLE);
            assertThat(failure(driver.list(new Selection.All())).kind()).isEqualTo(Kind.ENGINE_UNAVAILABLE);
            assertThat(sandbox.heard().isClosed()).isFalse();
            proxy.resume();
            outcome(driver.destroy(sandbox.id()));
        }
    }

    /** Limits hold for the sandbox's whole life, even while the engine is away. */
    @Test
    void aLocalSandboxIsMeasuredWhileTheEngineIsSilent() throws Exception {
        try (EngineProxy proxy = EngineProxy.unix(folder)) {
            // given an engine that is known not to answer
            driver = open(proxy.uri());
            Live sandbox = TestSandboxes.create(driver, newId(), sandboxes.template());
            proxy.silence();
            assertThat(failure(driver.list(new Selection.All())).kind()).isEqualTo(Kind.ENGINE_UNAVAILABLE);

            // then
            assertThat(outcome(driver.sample(sandbox.id())).pids()).isEqualTo(1);
            proxy.resume();
            outcome(driver.destroy(sandbox.id()));
        }
    }

    @Test
    void anIdleChannelOutlivesTheResponseTimeout() throws Exception {
        try (EngineProxy proxy = EngineProxy.tcp()) {
            driver = open(proxy.uri(), Duration.ofSeconds(3));
            Live sandbox = TestSandboxes.create(driver, newId(), sandboxes.template());

            Awaitility.await().during(Duration.ofMillis(4_500)).until(() -> !sandbox.heard()
                    .isClosed());

            assertThat(sandbox.python(1, "print('awake')")).isEqualTo("awake");
            outcome(driver.destroy(sandbox.id()));
        }
    }

    @Test
    void anEngineBehindTcpIsMeasuredThroughItsOwnStatistics() throws Exception {
        try (EngineProxy proxy = EngineProxy.tcp()) {
            driver = open(proxy.uri(), Duration.ofSeconds(20));
            Live sandbox = TestSandboxes.create(driver, newId(), sandboxes.template());
            sandbox.python(1, "x = bytearray(b'x') * (16 << 20)");

            var sample = outcome(driver.sample(sandbox.id()));

            assertThat(sample.cpuMillis()).isPositive();
            assertThat(sample.peakBytes()).isGreaterThan(16 << 20);
            assertThat(sample.pids()).isEqualTo(1);
            outcome(driver.destroy(sandbox.id()));
            assertThat(failure(driver.sample(sandbox.id())).kind()).isEqualTo(Kind.SANDBOX_UNKNOWN);
        }
    }

    @Test
    void anUnsuitableEngineIsRefusedWithTheReason() throws Exception {
        assertThat(failureAgainst("{}")).hasMessageContaining("is not a container engine");
        assertThat(failureAgainst("[1, 2")).isNotNull();
        assertThat(failureAgainst("{\"ApiVersion\": \"1.99\", \"MinAPIVersion\": \"1.90\"}"))
                .hasMessageContaining("too new");
        assertThat(failureAgainst("{\"ApiVersion\": \"1.39\", \"MinAPIVersion\": \"1.12\"}"))
                .hasMessageContaining("too old");
    }

    private DriverException failureAgainst(String version) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            byte[] body = version.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try {
            driver = open(URI.create("tcp://127.0.0.1:" + server.getAddress().getPort()));
            DriverException failure = creationFailure();
            assertThat(failure.kind()).isEqualTo(Kind.REFUSED);
            driver.close();
            return failure;
        } finally {
            server.stop(0);
        }
    }

    private DriverException creationFailure() {
        return failure(driver.create(newId(), sandboxes.template(), new Purpose.ToWait(), new RecordingListener()));
    }

    private DockerDriver open(URI engine) {
        return open(engine, Duration.ofSeconds(2));
    }

    private DockerDriver open(URI engine, Duration responseTimeout) {
        return DockerDriver.open(
                sandboxes.config().withEngine(engine).withResponseTimeout(responseTimeout),
                sandboxes.blocking(),
                NodeClock.system());
    }
}
