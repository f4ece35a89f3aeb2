package dev.vivarium.node.sandbox;

import com.typesafe.config.Config;
import dev.vivarium.protocol.run.Measurement;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import java.time.Duration;

/**
 * The block {@code vivarium.sandbox.output-rate} of the configuration: the rate of output above which there is an
 * alarm, and the alarm's consequence.
 *
 * @param bytesPerSecond the rate, of stdout and stderr together
 * @param window the time over which it is measured
 * @param consequence whether the run goes on
 */
record OutputRateAlarm(long bytesPerSecond, Duration window, Consequence consequence) {
    OutputRateAlarm {
        if (bytesPerSecond < 1 || window.toMillis() < 1) {
            throw new IllegalArgumentException(
                    "vivarium.sandbox.output-rate needs an alarm of at least 1 byte and a window of at least 1 ms.");
        }
    }

    static OutputRateAlarm from(Config rate) {
        return new OutputRateAlarm(
                rate.getBytes("alarm"), rate.getDuration("window"), SandboxSettings.consequence("output-rate", rate));
    }

    /**
     * Output within the current window.
     *
     * @param fromMillis the window's start
     * @param bytes printed since then
     */
    record Window(long fromMillis, long bytes) {
        static final Window EMPTY = new Window(0, 0);
    }

    /** The window after more output. Windows are consecutive, so a lasting rate is noticed within two of them. */
    Window printed(Window before, long bytes, long nowMillis) {
        return nowMillis - before.fromMillis < window.toMillis()
                ? new Window(before.fromMillis, before.bytes + bytes)
                : new Window(nowMillis, bytes);
    }

    /** The rate so far; a lower bound, since the window may not be over. */
    Measurement measurement(Window printed) {
        return Measurement.bytesPerSecond(printed.bytes * 1_000 / window.toMillis(), bytesPerSecond);
    }
}
