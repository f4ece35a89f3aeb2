package dev.vivarium.node.http.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.protocol.access.Identity;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class JsonBodiesTest {
    private static final Config SHIPPED = ConfigFactory.parseResources("reference.conf");

    private final ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "bodies");
    private final JsonBodies bodies =
            new JsonBodies(system, HttpSettings.from(ConfigFactory.load().getConfig("vivarium.http")));
    private final CountDownLatch released = new CountDownLatch(1);

    @AfterEach
    void stop() {
        released.countDown();
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().join();
    }

    @Test
    void bodiesAreParsedOnTheirOwnDispatcher() throws Exception {
        CompletableFuture<String> thread = new CompletableFuture<>();

        answer(body -> {
                    thread.complete(Thread.currentThread().getName());
                    return CompletableFuture.completedStage(HttpResponse.create());
                })
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);

        assertThat(thread.join()).contains("vivarium.body-dispatcher");
    }

    @Test
    void slowBodiesDelayNothingElse() throws Exception {
        int threads = SHIPPED.getInt("vivarium.body-dispatcher.thread-pool-executor.fixed-pool-size");

        // given: more bodies in progress than any dispatcher on this machine has threads
        List<CompletionStage<HttpResponse>> slow = IntStream.range(
                        0, threads + 2 * Runtime.getRuntime().availableProcessors() + 64)
                .mapToObj(index -> answer(body -> {
                    awaitRelease();
                    return CompletableFuture.completedStage(HttpResponse.create());
                }))
                .toList();

        // then: other work continues
        CompletableFuture.runAsync(() -> {}, system.dispatchers().lookup(DispatcherSelector.defaultDispatcher()))
                .get(20, TimeUnit.SECONDS);
        released.countDown();
        for (CompletionStage<HttpResponse> answer : slow) {
            assertThat(answer.toCompletableFuture()
                            .get(20, TimeUnit.SECONDS)
                            .status()
                            .intValue())
                    .isEqualTo(200);
        }
    }

    private void awaitRelease() {
        try {
            released.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private CompletionStage<HttpResponse> answer(Function<byte[], CompletionStage<HttpResponse>> endpoint) {
        HttpRequest request = HttpRequest.POST("/v1/runs").withEntity(ContentTypes.APPLICATION_JSON, "{}");
        return bodies.take(
                new Exchange(
                        request,
                        Optional.of(Identity.LOCAL_OPERATOR),
                        Map.of(),
                        Instant.now().plusSeconds(40)),
                endpoint,
                problem -> problem);
    }
}
