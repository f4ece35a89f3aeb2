package dev.vivarium.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TerminalFilterTest {
    private static String filtered(byte[] bytes) {
        TerminalFilter filter = new TerminalFilter();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(filter.filter(bytes));
        out.writeBytes(filter.end());
        return out.toString(StandardCharsets.UTF_8);
    }

    private static String filtered(String text) {
        return filtered(text.getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "a\tb\r\nc\n", "grüße, 世界, 🐝", "👩\u200d🚀", "שלום"})
    void textIsUnchanged(String text) {
        assertThat(filtered(text)).isEqualTo(text);
    }

    @Test
    void coloursAreKeptAndResetAtTheEnd() {
        assertThat(filtered("\u001b[1;38;5;208mwarm")).isEqualTo("\u001b[1;38;5;208mwarm\u001b[0m");
        assertThat(filtered("\u001b[38:2::1:2:3mx")).isEqualTo("\u001b[38:2::1:2:3mx\u001b[0m");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "\u001b[2J|^[[2J",
                "\u001b]0;title\u0007|^[]0;title^G",
                "\u001b]52;c;cm0=\u001b\\|^[]52;c;cm0=^[\\",
                "\u001b[6n|^[[6n",
                "\u001b[?1049h|^[[?1049h",
                "\u001bPq\u001b\\|^[Pq^[\\",
                "\u001bc|^[c",
                "a\bb|a^Hb",
                "\u007f|^?",
                "\u009b2J|<U+009B>2J",
                "\u202egnp|<U+202E>gnp",
                "\u2028|<U+2028>"
            })
    void controlSequencesAreMadeVisible(String sent, String shown) {
        assertThat(filtered(sent)).isEqualTo(shown);
    }

    @Test
    void nulAndABellAreMadeVisible() {
        assertThat(filtered("\u0000\u0007")).isEqualTo("^@^G");
    }

    @ParameterizedTest
    @CsvSource({
        "ff,\ufffd",
        "c0af,\ufffd\ufffd",
        "c3,\ufffd",
        "e282,\ufffd",
        "c341,\ufffdA",
        "f4908080,\ufffd",
        "eda080,\ufffd"
    })
    void invalidUtf8IsReplaced(String hex, String shown) {
        assertThat(filtered(HexFormat.of().parseHex(hex))).isEqualTo(shown);
    }

    @Test
    void anEscapeInsideAnEscapeStartsANewSequence() {
        assertThat(filtered("\u001b[3\u001b[31mx")).isEqualTo("^[[3\u001b[31mx\u001b[0m");
    }

    @Test
    void anOverlongColourSequenceIsNotKept() {
        assertThat(filtered("\u001b[" + "1;".repeat(100) + "m")).doesNotContain("\u001b");
    }

    @Test
    void anUnfinishedEscapeIsShownAtTheEnd() {
        assertThat(filtered("\u001b[3")).isEqualTo("^[[3");
        assertThat(filtered("\u001b")).isEqualTo("^[");
    }

    @Test
    void theSizeOfThePiecesMakesNoDifferenceToTheFilter() {
        byte[] whole = "ä\u001b[31mrot\u001b[0m 🐝 \u001b[2J\u009b\u0000\r\n".getBytes(StandardCharsets.UTF_8);
        TerminalFilter filter = new TerminalFilter();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte next : whole) {
            out.writeBytes(filter.filter(new byte[] {next}));
        }
        out.writeBytes(filter.end());
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo(filtered(whole));
    }

    @Test
    void onlyTextAndColoursPassWhateverTheBytes() {
        Random random = new Random(7);
        for (int round = 0; round < 2_000; round++) {
            byte[] bytes = new byte[64];
            random.nextBytes(bytes);
            for (int i = 0; i < bytes.length; i += 5) {
                bytes[i] = (byte) "\u001b[m;0]?".charAt(random.nextInt(7));
            }
            String withoutColours = filtered(bytes).replaceAll("\u001b\\[[0-9:;]*m", "");
            assertThat(withoutColours).doesNotContainPattern("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f]");
        }
    }
}
