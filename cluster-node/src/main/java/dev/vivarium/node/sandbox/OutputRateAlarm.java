package dev.vivarium.node.sandbox;

import com.typesafe.config.Config;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import java.time.Duration;

/**
 * The block {@code vivarium.sandbox.output-rate} of the configuration: above which rate an agent's output is an alarm,
 * and what follows from it.
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

    /** What so many bytes within one window are a second; the window may not be over yet, so it is the least. */
    long rate(long bytesInWindow) {
        return bytesInWindow * 1_000 / window.toMillis();
    }
}
