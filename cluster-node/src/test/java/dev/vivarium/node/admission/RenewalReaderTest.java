package dev.vivarium.node.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.admission.RenewalReader.Reading;
import dev.vivarium.node.run.Renewal;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.run.TimeSpan;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RenewalReaderTest {
    private final RenewalReader reader = Samples.renewals();

    @Test
    void aWallClockIsReadWithTheCeilingOfProcessorTimeThatFollowsIt() {
        assertThat(read("{\"wallClock\": \"1h30m\"}"))
                .isEqualTo(new Reading.Valid(new Renewal(TimeSpan.parse("90m"), TimeSpan.parse("24h"))));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"wallClock\": \"0s\"} | wallClock | must be at least 1ms",
                "{\"wallClock\": \"-5m\"} | wallClock | must be a time such as 5m, 90s, 1h30m or 250ms",
                "{\"wallClock\": \"25h\"} | wallClock | must be at most 24h, the ceiling that this node's operator set",
                "{\"wallClock\": \"999999h\"} | wallClock | must be at most 24h, the ceiling that this node's operator set",
                "{\"wallClock\": 600} | wallClock | must be a string, not a number: a time such as 5m, 90s, 1h30m or 250ms",
                "{\"wallClock\": null} | wallClock | must not be null; a field that is left out gets its default",
                "{\"wallClock\": [\"5m\"]} | wallClock | must be a string, not a list: a time such as 5m, 90s, 1h30m or 250ms",
                "{} | wallClock | is required: the time from the start of the attempt's process, such as 10m",
                "{\"wallClock\": \"5m\", \"idle\": \"5m\"} | idle | unknown field",
            })
    void everythingElseIsRefusedWithWhatIsWrong(String body, String field, String message) {
        assertThat(read(body)).isEqualTo(new Reading.Invalid(List.of(new FieldError(field, message))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "[]",
                "\"5m\"",
                "{\"wallClock\":\"5m\"} x",
                "{\"wallClock\":\"5m\",\"wallClock\":\"6m\"}"
            })
    void whatIsNotOneJsonObjectIsMalformed(String body) {
        assertThat(read(body)).isInstanceOf(Reading.Malformed.class);
    }

    private Reading read(String body) {
        return reader.read(body.getBytes(StandardCharsets.UTF_8));
    }
}
