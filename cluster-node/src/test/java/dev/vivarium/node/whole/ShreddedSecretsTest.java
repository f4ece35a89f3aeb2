package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.persistence.embedded.EmbeddedStore;
import dev.vivarium.persistence.secrets.FileSecretVault;
import dev.vivarium.persistence.secrets.SecretVault;
import dev.vivarium.protocol.run.RunId;
import dev.vivarium.protocol.run.RunState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Once a run has ended, in whatever way, its secrets cannot be opened again, even with everything that its node kept. */
@Timeout(300)
class ShreddedSecretsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String NO_RUN = "01hzzzzzzzzzzzzzzzzzzzzzz1";

    @RegisterExtension
    final DataDirectory data = new DataDirectory();

    @Test
    void secretsCannotBeOpenedAfterAnyKindOfEnd() throws Exception {
        Map<String, String> runs = new TreeMap<>();
        Map<String, byte[]> wrapped = new TreeMap<>();
        try (WholeNode node = WholeNode.on(data).go()) {
            for (var agent : agentsByTheirEnd().entrySet()) {
                String run = node.submit(agent.getValue().secret("TOKEN", "hush-hush"))
                        .acceptedRun();
                runs.put(agent.getKey(), run);
                if (Files.exists(key(run))) {
                    wrapped.put(run, Files.readAllBytes(key(run)));
                }
            }
            node.awaitPrinted(runs.get("CANCELLED"), "up hush-hush");
            node.awaitPrinted(runs.get("LOST"), "up hush-hush");
            // given: while they live, the search finds their keys
            assertThat(wrapped).hasSizeGreaterThan(3);
            assertThat(Search.bytes(wrapped).below(data.path()))
                    .containsKeys(key(runs.get("CANCELLED")), key(runs.get("LOST")));

            // when
            node.cancel(runs.get("CANCELLED"));
            for (String end : List.of("SUCCEEDED", "FAILED", "FAILED at its start", "KILLED", "CANCELLED")) {
                assertThat(end)
                        .startsWith(node.awaitEnd(runs.get(end)).path("status").asText());
            }
            awaitKeys(List.of(runs.get("LOST")), node);
            node.kill();
        }
        try (WholeNode node = WholeNode.on(data).go()) {
            assertThat(node.awaitEnd(runs.get("LOST")).path("status").asText()).isEqualTo("LOST");
            awaitKeys(List.of(), node);
            assertThat(node.stop()).isZero();
        }

        // then
        assertThat(Search.bytes(wrapped).below(data.path())).isEmpty();
        assertSecretsCannotBeOpened(List.copyOf(runs.values()));
    }

    /** Each lives long enough for its key to be found. */
    private static Map<String, Agent> agentsByTheirEnd() {
        String up = "import os, sys, time; print('up', os.environ['TOKEN'], flush=True); ";
        return Map.of(
                "SUCCEEDED", Agent.python(up + "time.sleep(1)"),
                "FAILED", Agent.python(up + "time.sleep(1); sys.exit(3)"),
                "FAILED at its start", Agent.python("").image("vivarium/no-such-image"),
                "KILLED", Agent.python(up + "time.sleep(600)").limit("wallClock", "2s"),
                "CANCELLED", Agent.python(up + "time.sleep(600)"),
                "LOST", Agent.python(up + "time.sleep(600)").onNodeLoss("fail"));
    }

    @Test
    void aKeyThatCouldNotBeDestroyedIsDestroyedLaterOrAtTheNextStart() throws Exception {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        Agent agent = Agent.python("import time; print('up', flush=True); time.sleep(600)")
                .secret("TOKEN", "hush-hush");
        String killedBetween;
        try (WholeNode node = WholeNode.on(data).go()) {
            String refusedByTheDisk = endWithItsKeyHeld(node, agent);
            assertThat(key(refusedByTheDisk)).exists();

            Commands.run("umount", key(refusedByTheDisk).toString());

            awaitKeys(List.of(), node);

            // when: the node dies between the end of a run and the destruction of its key
            killedBetween = endWithItsKeyHeld(node, agent);
            node.kill();
            Commands.run("umount", key(killedBetween).toString());
            assertThat(key(killedBetween)).exists();
        }
        // and as after one that died between sealing and the run's first event, and one that died while it wrote a key
        FileSecretVault.in(data.path(), Runnable::run, Clock.systemUTC())
                .seal(new RunId(NO_RUN), Map.of("TOKEN", "hush-hush"));
        Path draft = Files.write(data.path().resolve("keys/" + NO_RUN + ".new"), new byte[61]);

        try (WholeNode node = WholeNode.on(data).go()) {
            awaitKeys(List.of(), node);
            assertThat(draft).doesNotExist();
            assertThat(node.status(killedBetween)).isEqualTo("CANCELLED");
            assertThat(node.stop()).isZero();
        }
        assertSecretsCannotBeOpened(List.of(killedBetween));
    }

    /** A mount keeps the key's file from being deleted, like a failing disk. */
    private String endWithItsKeyHeld(WholeNode node, Agent agent) throws Exception {
        String run = node.submit(agent).acceptedRun();
        node.awaitPrinted(run, "up");
        Commands.run("mount", "--bind", key(run).toString(), key(run).toString());
        node.cancel(run);
        node.awaitEnd(run);
        await().atMost(PATIENCE).until(() -> node.log().contains("secrets of run " + run + " is not destroyed yet"));
        return run;
    }

    @Test
    @Tag("long")
    void afterAKillAtAnyMomentOnlyKeysOfLiveRunsAreLeft() throws Exception {
        Agent quick = Agent.python("print('done')").secret("TOKEN", "hush-hush").onNodeLoss("restart");
        List<String> accepted = new ArrayList<>();
        try (WholeNode node = WholeNode.on(data).go();
                Clients clients = Clients.of(node, quick, 4)) {
            await().atMost(PATIENCE).until(() -> clients.accepted().size() > 4);

            // when
            node.kill();

            clients.awaitEnd();
            accepted.addAll(clients.accepted());
        }
        try (WholeNode node = WholeNode.on(data).go()) {
            // then
            for (String run : accepted) {
                assertThat(node.awaitEnd(run).path("status").asText()).isEqualTo("SUCCEEDED");
            }
            awaitKeys(List.of(), node);
            assertThat(node.stop()).isZero();
        }
        assertSecretsCannotBeOpened(accepted);
    }

    @Test
    void theKeyOfARunThatEndsDuringAnOutageIsDestroyedWhenTheEndIsDurable() throws Exception {
        try (WholeNode node = WholeNode.on(data).go()) {
            String run = node.submit(Agent.python("import time; print('up', flush=True); time.sleep(2)")
                            .secret("TOKEN", "hush-hush"))
                    .acceptedRun();
            node.awaitPrinted(run, "up");

            // when
            data.takeProgramsAway();
            node.store().destroyForcibly();
            await().atMost(PATIENCE).until(() -> node.get("/health/ready").status() == 503);
            await().atMost(PATIENCE).until(() -> node.census().count().isNothing());

            // then
            assertThat(key(run)).exists();
            data.bringProgramsBack();
            node.awaitEnd(run);
            awaitKeys(List.of(), node);
            assertThat(node.stop()).isZero();
        }
    }

    // ---- vocabulary of the tests

    private Path key(String run) {
        return data.path().resolve("keys/" + run);
    }

    private List<String> keysNow() throws IOException {
        try (Stream<Path> keys = Files.list(data.path().resolve("keys"))) {
            return keys.map(key -> key.getFileName().toString()).sorted().toList();
        }
    }

    private void awaitKeys(List<String> runs, WholeNode node) {
        await("the keys of %s only, see %s".formatted(runs, node.said()))
                .atMost(PATIENCE)
                .until(() -> keysNow().equals(runs));
    }

    /** Asserts this with the data directory, which contains the master key. */
    private void assertSecretsCannotBeOpened(List<String> runs) {
        assertThat(data.path().resolve("master.key")).exists();
        try (EmbeddedStore store = EmbeddedStore.open(data.path())) {
            for (String id : runs) {
                RunId run = new RunId(id);
                RunState.Existing state = (RunState.Existing)
                        store.journal().state(run).toCompletableFuture().join();
                assertThat(state.submission().spec().secrets().names()).containsExactly("TOKEN");
                assertThatThrownBy(() -> store.secrets()
                                .open(run, state.submission().spec().secrets())
                                .toCompletableFuture()
                                .join())
                        .hasCauseInstanceOf(SecretVault.KeyDestroyed.class);
            }
        }
    }
}
