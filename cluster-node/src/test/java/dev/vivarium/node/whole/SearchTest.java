package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Shows that the search finds what it looks for; otherwise finding nothing would prove nothing. */
class SearchTest {
    private static final String VALUE = "h\u00fcsh \"h\u00fcsh\" \\ q8Zr2Lx0";
    private static final byte[] UTF8 = VALUE.getBytes(StandardCharsets.UTF_8);

    private final Search search = Search.values(Map.of("KEY", VALUE));

    @Test
    void aValueIsFoundInEverySpelling() {
        assertThat(search.in("before" + VALUE + "after")).contains("KEY");
        assertThat(search.in(VALUE.getBytes(StandardCharsets.UTF_16LE))).contains("KEY in UTF-16");
        assertThat(search.in(HexFormat.of().formatHex(UTF8))).contains("KEY in hex");
        assertThat(search.in("q=h%C3%BCsh%20%22h%C3%BCsh%22%20%5C%20q8Zr2Lx0")).contains("KEY in a URL");
        assertThat(search.in("{\"k\":\"h\u00fcsh \\\"h\u00fcsh\\\" \\\\ q8Zr2Lx0\"}"))
                .contains("KEY in JSON");
        assertThat(search.in("{\"k\":\"h\\u00FCsh \\\"h\\u00FCsh\\\" \\\\ q8Zr2Lx0\"}"))
                .contains("KEY in JSON");
        for (String before : new String[] {"", "a", "ab", "abc"}) {
            String whole = before + VALUE + "and so on";
            assertThat(search.in(Base64.getEncoder().encodeToString(whole.getBytes(StandardCharsets.UTF_8))))
                    .contains("KEY in Base64");
        }
    }

    @Test
    void absentValuesAreNotFound() {
        assertThat(search.in(VALUE.substring(1))).isEmpty();
        assertThat(search.in(new byte[3 << 20])).isEmpty();
        assertThat(search.in("")).isEmpty();
    }

    @Test
    void piecesOfLongValuesAndSingleLinesAreFound() {
        String tail = "0123456789abcdefghijklmnopqrstuv";
        Search both =
                Search.values(Map.of("LONG", "x".repeat(5000) + tail, "LINES", "the first line\nthe second line\n"));

        assertThat(both.in("..." + tail)).containsExactly("LONG");
        assertThat(both.in("log: the second line .")).containsExactly("LINES");
    }

    @Test
    void aValueIsFoundInFilesAndTheirNames(@TempDir Path folder) throws IOException {
        byte[] large = new byte[(1 << 20) + 40];
        System.arraycopy(UTF8, 0, large, (1 << 20) - 10, UTF8.length);
        Path deep = Files.createDirectories(folder.resolve("a/b"));
        Path content = Files.write(deep.resolve("content"), large);
        Path name = Files.createFile(deep.resolve(VALUE));
        Files.writeString(deep.resolve("nothing"), "nothing");

        assertThat(search.below(folder)).isEqualTo(Map.of(content, Set.of("KEY"), name, Set.of("KEY")));
    }
}
