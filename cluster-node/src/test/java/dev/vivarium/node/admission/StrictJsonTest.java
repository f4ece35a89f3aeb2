package dev.vivarium.node.admission;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.util.BufferRecycler;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import java.nio.charset.StandardCharsets;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StrictJsonTest {
    private static final String SECRET = "sk-the-secret-of-a-run";

    @ParameterizedTest
    @ValueSource(ints = {0, 1_000, 100_000})
    void noPartOfABodyStaysInBuffersThatOutliveIt(int before) {
        String body = "{\"secrets\":{\"TOKEN\":\"" + "x".repeat(before) + "\\n" + SECRET + "\"}}";

        assertThat(new StrictJson(1 << 20).parse(body.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(StrictJson.Parsed.Tree.class);

        assertThat(buffersOfThisThread()).noneMatch(buffer -> buffer.contains(SECRET));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{},", "[],", "1,", "\"\","})
    void aBodyOfTooManySmallValuesIsRefusedBeforeItsTreeFillsTheHeap(String value) {
        String body = "{\"x\":[" + value.repeat(StrictJson.MAX_TOKENS) + "0]}";

        assertThat(new StrictJson(8 << 20).parse(body.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOfSatisfying(StrictJson.Parsed.Malformed.class, malformed -> assertThat(malformed.sentence())
                        .contains("more than 100000 names and values"));
    }

    @Test
    void theMaximumOfArgumentsIsRead() {
        String body = "{\"command\":[" + "\"a\",".repeat(60_000) + "\"a\"]}";

        assertThat(new StrictJson(8 << 20).parse(body.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(StrictJson.Parsed.Tree.class);
    }

    @Test
    void aByteOrderMarkIsSkippedOnlyAtTheBeginning() {
        StrictJson json = new StrictJson(1 << 20);

        assertThat(json.parse("\ufeff{\"a\":1}".getBytes(StandardCharsets.UTF_8)))
                .isEqualTo(json.parse("{\"a\":1}".getBytes(StandardCharsets.UTF_8)));
        assertThat(json.parse("\ufeff".getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(StrictJson.Parsed.Malformed.class);
        assertThat(json.parse("{\ufeff\"a\":1}".getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(StrictJson.Parsed.Malformed.class);
    }

    private static Stream<String> buffersOfThisThread() {
        BufferRecycler recycler = JsonRecyclerPools.threadLocalPool().acquireAndLinkPooled();
        return IntStream.of(
                        BufferRecycler.CHAR_TOKEN_BUFFER,
                        BufferRecycler.CHAR_CONCAT_BUFFER,
                        BufferRecycler.CHAR_TEXT_BUFFER,
                        BufferRecycler.CHAR_NAME_COPY_BUFFER)
                .mapToObj(kind -> new String(recycler.allocCharBuffer(kind)));
    }
}
