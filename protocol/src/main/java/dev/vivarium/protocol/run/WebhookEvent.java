package dev.vivarium.protocol.run;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Locale;

/** What of a run's life a webhook is called for. */
public enum WebhookEvent {
    /** An attempt's process has started. */
    STARTED,
    /** An attempt has used most of its wall clock: the share at which alarms warn ({@code vivarium.sandbox.warn-at}). */
    WARNING,
    /** The run has ended, for whatever reason. */
    ENDED;

    /**
     * Reads the lower-case form.
     *
     * @throws IllegalArgumentException when there is no such event
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static WebhookEvent parse(String text) {
        return Arrays.stream(values())
                .filter(event -> event.toString().equals(text))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no event " + text + "."));
    }

    @JsonValue
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
