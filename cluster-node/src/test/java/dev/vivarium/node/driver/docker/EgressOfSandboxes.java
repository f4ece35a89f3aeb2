package dev.vivarium.node.driver.docker;

import dev.vivarium.node.driver.SandboxTemplate;
import dev.vivarium.node.driver.docker.TestSandboxes.Live;
import dev.vivarium.node.network.NetworkAccess;
import dev.vivarium.node.network.TestHosts;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.guest.NodeFrame;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Sandboxes with networks among hosts that an unfiltered container reaches. */
abstract class EgressOfSandboxes {
    static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final int CONNECTIONS_MAX = 1000;

    static TestHosts hosts;

    @RegisterExtension
    final TestSandboxes sandboxes;

    EgressOfSandboxes(SandboxKind kind) {
        sandboxes = new TestSandboxes(kind).withNetwork();
    }

    @BeforeAll
    static void makeHosts() throws IOException {
        hosts = new TestHosts("egress");
    }

    @AfterAll
    static void removeHosts() {
        hosts.close();
    }

    Live create(EgressPolicy.Mode mode) {
        SandboxTemplate plain = sandboxes.template();
        SandboxTemplate template = new SandboxTemplate(
                plain.image(),
                plain.isolation(),
                plain.limits(),
                mode == EgressPolicy.Mode.NONE
                        ? Optional.empty()
                        : sandboxes.network().resolver());
        return sandboxes.create(template, new NetworkAccess(new EgressPolicy(mode), CONNECTIONS_MAX));
    }

    static Map<String, Boolean> from(Live sandbox, List<String> places) {
        int process = 1 + sandbox.heard().frames().size();
        sandbox.start(
                process,
                Stream.concat(Stream.of("python3", "-c", hosts.probe()), places.stream())
                        .toArray(String[]::new));
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> answers(printed(sandbox, process)).size() == places.size());
        return answers(printed(sandbox, process));
    }

    static Map<String, Boolean> fromAnUnfilteredContainer(List<String> places) {
        List<String> command = new ArrayList<>(
                List.of("run", "--rm", "--dns", "127.0.0.1", TestSandboxes.IMAGE, "python3", "-c", hosts.probe()));
        command.addAll(places);
        return answers(Docker.run(command.toArray(String[]::new)));
    }

    static Map<String, Boolean> answers(String printed) {
        return printed.lines()
                .filter(line -> line.matches("(tcp|udp|ping):.*"))
                .map(line -> line.split(" ", 2))
                .collect(Collectors.toMap(words -> words[0], words -> words[1].equals("reached")));
    }

    static String printed(Live sandbox, int process) {
        return sandbox.heard().output(process, NodeFrame.Stream.STDOUT);
    }

    static void awaitPrinted(Live sandbox, int process, String line) {
        Awaitility.await()
                .atMost(PATIENCE)
                .until(() -> printed(sandbox, process).lines().anyMatch(line::equals));
    }

    String addressOf(Live sandbox) {
        return TestHosts.shell("nsenter --net=/proc/" + sandboxes.pid(sandbox)
                        + "/ns/net ip -4 -o addr show dev eth0 | awk '{print $4}' | cut -d/ -f1")
                .strip();
    }

    String resolver() {
        return sandboxes.network().resolver().orElseThrow();
    }
}
