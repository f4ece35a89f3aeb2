package dev.vivarium.node.sandbox;

import com.typesafe.config.Config;
import dev.vivarium.protocol.run.RunEvent.Consequence;

/**
 * The block {@code vivarium.sandbox.egress-scan} of the configuration: how many different destinations an agent may try
 * in vain before an alarm, and the alarm's consequence.
 *
 * @param destinations the largest number without an alarm
 * @param consequence whether the run goes on
 */
record EgressScanAlarm(long destinations, Consequence consequence) {
    EgressScanAlarm {
        if (destinations < 1) {
            throw new IllegalArgumentException("vivarium.sandbox.egress-scan.destinations must be at least 1.");
        }
    }

    static EgressScanAlarm from(Config scan) {
        return new EgressScanAlarm(scan.getLong("destinations"), SandboxSettings.consequence("egress-scan", scan));
    }
}
