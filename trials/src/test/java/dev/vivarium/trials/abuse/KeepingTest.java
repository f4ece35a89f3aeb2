package dev.vivarium.trials.abuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vivarium.protocol.api.ArtifactList;
import dev.vivarium.protocol.run.Artifact;
import dev.vivarium.protocol.run.Digest;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.LeftOut;
import dev.vivarium.protocol.run.LeftOut.Cause;
import dev.vivarium.protocol.run.RunId;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class KeepingTest {
    private static ArtifactList list(List<String> kept, Cause... causes) {
        return new ArtifactList(
                new RunId("01hzzzzzzzzzzzzzzzzzzzzzza"),
                kept.stream()
                        .map(path -> new Artifact(path, FileMode.PLAIN, 1, Digest.of(new byte[] {1})))
                        .toList(),
                causes.length,
                Stream.of(causes).map(cause -> new LeftOut("x", cause)).toList());
    }

    @Test
    void whatMustBeKeptAndLeftOutIsMet() {
        Keeping keeping = Keeping.parse("** out/*", "a out/b", "LINK NO_FILE");

        assertThat(keeping.patterns()).containsExactly("**", "out/*");
        assertThat(keeping.objection(list(List.of("out/b", "a"), Cause.NO_FILE, Cause.LINK, Cause.LINK)))
                .isEmpty();
    }

    @Test
    void anotherFileIsAnObjection() {
        assertThat(Keeping.parse("**", "a", "").objection(list(List.of("a", "passwd"))))
                .hasValue("Kept are [a, passwd], and not [a].");
        assertThat(Keeping.parse("**", "", "").objection(list(List.of("a")))).isPresent();
        assertThat(Keeping.parse("**", "*", "").objection(list(List.of("a")))).isEmpty();
    }

    @Test
    void anotherCauseIsAnObjection() {
        assertThat(Keeping.parse("**", "*", "LINK").objection(list(List.of()))).isPresent();
        assertThat(Keeping.parse("**", "*", "LINK").objection(list(List.of(), Cause.LINK, Cause.TOO_MANY)))
                .hasValue("Files were left out for [LINK, TOO_MANY], and not for one of [[LINK]].");
    }

    @Test
    void oneOfSeveralSetsOfCausesWillDo() {
        Keeping keeping = Keeping.parse("**", "*", "LINK or LINK MISSING");

        assertThat(keeping.objection(list(List.of(), Cause.LINK))).isEmpty();
        assertThat(keeping.objection(list(List.of(), Cause.MISSING, Cause.LINK)))
                .isEmpty();
        assertThat(keeping.objection(list(List.of(), Cause.MISSING))).isPresent();
    }

    @Test
    void aCauseThatThereIsNotIsRefused() {
        assertThatThrownBy(() -> Keeping.parse("**", "*", "SYMLINK")).isInstanceOf(IllegalArgumentException.class);
    }
}
