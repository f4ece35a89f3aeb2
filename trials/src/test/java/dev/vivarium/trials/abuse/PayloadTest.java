package dev.vivarium.trials.abuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.trials.abuse.ImageChange.ImageFile;
import dev.vivarium.trials.agents.Expectation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PayloadTest {
    private static final Path FOLDER = Path.of("..", "examples", "abuse");

    private static final String WHOLE =
            """
            \"""A title.

            Tries: one thing,
            and goes on.
            Must: end.

            limits: pids=32 memory=48Mi
            egress: allowlist a.example.com *.example.org:8443
            image: USER root
            image: ENV A=b
            image-file: /etc/x 0644 text a line
            image-file: /bin/y 4755 hex 7f45
              4c46
            image-env: 3 100
            artifacts: out/* x
            kept: x
            left-out: LINK
            expect: KILLED PIDS
            \"""

            print("limits: are no header here")
            """;

    @Test
    void everyPayloadDescribesWhatItTriesAndWhatMustHappen() throws IOException {
        List<Payload> payloads = Payloads.of(FOLDER).all();

        assertThat(payloads).hasSizeGreaterThanOrEqualTo(60);
        assertThat(payloads).allSatisfy(payload -> {
            assertThat(payload.name()).matches("[a-z][a-z0-9_]+");
            assertThat(payload.agent().about()).endsWith(".");
            assertThat(payload.tries()).endsWith(".");
            assertThat(payload.must()).endsWith(".");
            assertThat(payload.agent().files())
                    .allSatisfy(file -> assertThat(FOLDER.resolve(file)).isRegularFile());
        });
    }

    @Test
    void noTwoPayloadsAreTheSame() throws IOException {
        List<Payload> payloads = Payloads.of(FOLDER).all();

        assertThat(payloads).extracting(Payload::name).doesNotHaveDuplicates();
        assertThat(payloads).extracting(payload -> payload.agent().about()).doesNotHaveDuplicates();
        assertThat(payloads).extracting(Payload::tries).doesNotHaveDuplicates();
    }

    @Test
    void everyLimitThatKillsIsReachedByAPayload() throws IOException {
        Set<KillReason> reasons = Payloads.of(FOLDER).all().stream()
                .flatMap(payload -> payload.agent().expect().reason().stream())
                .collect(Collectors.toSet());

        assertThat(reasons)
                .containsExactlyInAnyOrderElementsOf(Limit.ALL.stream()
                        .flatMap(limit -> limit.reason().stream())
                        .toList());
    }

    @Test
    void atLeastFortyPayloadsTryToBypassTheirNetworkPolicy() throws IOException {
        assertThat(Payloads.of(FOLDER).all().stream().filter(Payload::isNetworked))
                .hasSizeGreaterThanOrEqualTo(40)
                .allSatisfy(payload -> assertThat(payload.agent().files()).contains("lib/outside.py"));
    }

    @Test
    void theReadmeListsEveryPayload() throws IOException {
        String readme = Files.readString(FOLDER.resolve("README.md"));

        String rows = Payloads.of(FOLDER).all().stream()
                .map(payload -> "| [%s](%s.py) | %s | %s |"
                        .formatted(
                                payload.name(),
                                payload.name(),
                                payload.agent().about().replaceAll("\\.$", ""),
                                payload.agent().expect().words()))
                .collect(Collectors.joining("\n"));

        assertThat(readme).contains("| payload | what it is | expected |\n|---|---|---|\n" + rows + "\n\n");
    }

    @Test
    void aHeaderIsParsed() {
        Payload payload = Payload.parse("bad", WHOLE);

        assertThat(payload.agent().about()).isEqualTo("A title.");
        assertThat(payload.tries()).isEqualTo("one thing, and goes on.");
        assertThat(payload.must()).isEqualTo("end.");
        assertThat(payload.agent().command()).containsExactly("python3", "bad.py");
        assertThat(payload.agent().limits().get("pids").isInt()).isTrue();
        assertThat(payload.agent().limits().get("memory").asText()).isEqualTo("48Mi");
        assertThat(payload.agent().limits()).containsKeys("cpu", "disk", "output", "wallClock");
        assertThat(payload.agent().egress().mode()).isEqualTo(EgressPolicy.Mode.ALLOWLIST);
        assertThat(payload.agent().egress().allow())
                .extracting(EgressDestination::text)
                .containsExactly("a.example.com:80,443", "*.example.org:8443");
        assertThat(payload.agent().expect()).isEqualTo(Expectation.parse("KILLED PIDS"));
        assertThat(payload.keeping()).isEqualTo(Keeping.parse("out/* x", "x", "LINK"));
        assertThat(payload.image())
                .isEqualTo(new ImageChange(
                        List.of("USER root", "ENV A=b"),
                        List.of(
                                new ImageFile("/etc/x", 0644, Blob.ofUtf8("a line\n")),
                                new ImageFile("/bin/y", 04755, Blob.of(new byte[] {0x7f, 'E', 'L', 'F'}))),
                        3,
                        100));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "print('no docstring')\n",
                "\"\"\"A title.\n\nTries: x.\nMust: y.\n\"\"\"\n",
                "\"\"\"A title.\n\nTries: x.\nMust: y.\n\nkept: a\nexpect: SUCCEEDED\n\"\"\"\n",
                "\"\"\"A title.\n\nMust: y.\n\nexpect: SUCCEEDED\n\"\"\"\n",
                "\"\"\"A title.\n\nTries: x.\n\nexpect: SUCCEEDED\n\"\"\"\n",
                "\"\"\"A title.\n\nTries: x.\nMust: y.\n\nexpect: WELL\n\"\"\"\n",
                "\"\"\"A title.\n\nTries: x.\nMust: y.\n\nexpect: KILLED\n\"\"\"\n",
                "\"\"\"A title.\n\nTries: x.\nMust: y.\n\nexpect: FAILED\n\"\"\"\n",
                "\"\"\"A title.\n\nTries: x.\nMust: y.\n\nexpect: SUCCEEDED\nexpect: FAILED exit 1\n\"\"\"\n",
                "\"\"\"A title.\n\nTries: x.\nMust: y.\n\nlimit: pids=1\nexpect: SUCCEEDED\n\"\"\"\n",
                "\"\"\"A title.\n\nTries: x.\nMust: y.\n\negress: open\nexpect: SUCCEEDED\n\"\"\"\n",
                "\"\"\"A title.\n\nTries: x.\nMust: y.\n\negress: public a.example\nexpect: SUCCEEDED\n\"\"\"\n",
                "\"\"\"A title.\n\nTries: x.\nMust: y.\n\negress: public\ninject: a.example.com X\nexpect: SUCCEEDED\n\"\"\"\n",
                "\"\"\"A title.\n\nTries: x.\nMust: y.\n\nlimits: pids\nexpect: SUCCEEDED\n\"\"\"\n",
                "\"\"\"A title.\n\nTries: x.\nMust: y.\n\nimage-file: etc 0644\nexpect: SUCCEEDED\n\"\"\"\n"
            })
    void anInvalidHeaderIsRefused(String text) {
        assertThatThrownBy(() -> Payload.parse("bad", text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aFileThatCannotBeReadIsNamed(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("bad.py"), "print()\n");

        assertThatThrownBy(() -> Payloads.of(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("bad.py is not as it must be: it does not begin with a docstring.");
    }
}
