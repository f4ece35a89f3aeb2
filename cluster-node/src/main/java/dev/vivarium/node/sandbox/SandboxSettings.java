package dev.vivarium.node.sandbox;

import com.typesafe.config.Config;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import java.time.Duration;
import java.util.Locale;

/**
 * The block {@code vivarium.sandbox} of the configuration; reference.conf says what each key means.
 *
 * @param hardGrace between SIGTERM and SIGKILL when a hard limit is reached
 * @param softGrace the same when the run is cancelled, idle, or its node is drained
 * @param killConfirm how long the guest may take to confirm a kill before the engine is asked to do it
 * @param secondClockGrace how long after the deadline the guest ends everything by itself
 * @param sampleInterval the time between two looks at a sandbox's use
 * @param warningShare the share of a limit above which an alarm is noted
 * @param outputRate the rate of output that is an alarm
 * @param egressScan how many destinations that are tried in vain are an alarm
 * @param unmeasuredMax how long a sandbox may go unmeasured before operators are told
 * @param outputWindowBytes how much unstored output a stream may have
 * @param storeRetry the pause before output is offered again to a store that failed
 * @param engineRetry the pause before a sandbox is asked for again from an engine that is away
 * @param engineWait how long an engine may be away before the attempt is given up
 * @param removalWait how long a sandbox with nothing left in it may wait for its removal
 * @param destroyWait how long the end of a sandbox is waited for before the reaper is left to it
 * @param noFile file descriptors a process may have
 */
public record SandboxSettings(
        Duration hardGrace,
        Duration softGrace,
        Duration killConfirm,
        Duration secondClockGrace,
        Duration sampleInterval,
        double warningShare,
        OutputRateAlarm outputRate,
        EgressScanAlarm egressScan,
        Duration unmeasuredMax,
        int outputWindowBytes,
        Duration storeRetry,
        Duration engineRetry,
        Duration engineWait,
        Duration removalWait,
        Duration destroyWait,
        long noFile) {
    static SandboxSettings from(Config config) {
        Config sandbox = config.getConfig("vivarium.sandbox");
        return new SandboxSettings(
                sandbox.getDuration("hard-grace"),
                sandbox.getDuration("soft-grace"),
                sandbox.getDuration("kill-confirm"),
                sandbox.getDuration("second-clock-grace"),
                sandbox.getDuration("sample-interval"),
                sandbox.getDouble("warning-share"),
                OutputRateAlarm.from(sandbox.getConfig("output-rate")),
                EgressScanAlarm.from(sandbox.getConfig("egress-scan")),
                sandbox.getDuration("unmeasured-max"),
                Math.toIntExact(sandbox.getBytes("output-window")),
                sandbox.getDuration("store-retry"),
                sandbox.getDuration("engine-retry"),
                sandbox.getDuration("engine-wait"),
                sandbox.getDuration("removal-wait"),
                sandbox.getDuration("destroy-wait"),
                sandbox.getLong("no-file"));
    }

    /** What an alarm's block says of what follows from it. */
    static Consequence consequence(String alarm, Config block) {
        return switch (block.getString("consequence").toLowerCase(Locale.ROOT)) {
            case "noted" -> Consequence.NOTED;
            case "kill" -> Consequence.KILL;
            default -> throw new IllegalArgumentException(
                    "vivarium.sandbox." + alarm + ".consequence is noted or kill.");
        };
    }

    /** Between SIGTERM and SIGKILL: an idle agent is not in the middle of anything that a limit has to stop. */
    Duration grace(KillReason reachedLimit) {
        return reachedLimit == KillReason.IDLE ? softGrace : hardGrace;
    }

    LimitWatch.Thresholds thresholds() {
        return new LimitWatch.Thresholds(warningShare, outputRate, egressScan);
    }
}
