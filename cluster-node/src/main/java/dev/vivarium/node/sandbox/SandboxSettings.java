package dev.vivarium.node.sandbox;

import com.typesafe.config.Config;
import dev.vivarium.protocol.run.KillReason;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.RunEvent.Consequence;
import java.time.Duration;
import java.util.Locale;

/**
 * The block {@code vivarium.sandbox} of the configuration; see reference.conf.
 *
 * @param hardGrace between SIGTERM and SIGKILL when a limit of another kind than time is reached
 * @param softGrace at least this when the run is cancelled or idle, and exactly this when its node is drained
 * @param killConfirm how long the guest may take to confirm a kill before the driver destroys the sandbox
 * @param secondClockGrace how long after the deadline the guest ends everything by itself
 * @param sampleInterval the time between samples
 * @param warningShare the share of a limit above which there is an alarm
 * @param deadlineWarningShare the same of the wall clock
 * @param outputRate the alarm for the rate of output
 * @param egressScan the alarm for destinations tried in vain
 * @param unmeasuredMax how long a sandbox may go unmeasured before a warning is logged
 * @param outputWindowBytes how much unstored output a stream may have
 * @param storeRetry the pause before output is offered again to a store that failed
 * @param engineRetry the pause before an unavailable engine is asked again for a sandbox
 * @param engineWait how long an engine may be unavailable before the attempt is given up
 * @param removalWait how long an empty sandbox may wait for its removal
 * @param artifactsWait how long the files that are kept may take
 * @param destroyWait how long to wait for a sandbox's end before it is left to the reaper
 */
public record SandboxSettings(
        Duration hardGrace,
        Duration softGrace,
        Duration killConfirm,
        Duration secondClockGrace,
        Duration sampleInterval,
        double warningShare,
        double deadlineWarningShare,
        OutputRateAlarm outputRate,
        EgressScanAlarm egressScan,
        Duration unmeasuredMax,
        int outputWindowBytes,
        Duration storeRetry,
        Duration engineRetry,
        Duration engineWait,
        Duration removalWait,
        Duration artifactsWait,
        Duration destroyWait) {
    static SandboxSettings from(Config config) {
        Config sandbox = config.getConfig("vivarium.sandbox");
        return new SandboxSettings(
                sandbox.getDuration("hard-grace"),
                sandbox.getDuration("soft-grace"),
                sandbox.getDuration("kill-confirm"),
                sandbox.getDuration("second-clock-grace"),
                sandbox.getDuration("sample-interval"),
                sandbox.getDouble("warning-share"),
                sandbox.getDouble("deadline-warning-share"),
                OutputRateAlarm.from(sandbox.getConfig("output-rate")),
                EgressScanAlarm.from(sandbox.getConfig("egress-scan")),
                sandbox.getDuration("unmeasured-max"),
                Math.toIntExact(sandbox.getBytes("output-window")),
                sandbox.getDuration("store-retry"),
                sandbox.getDuration("engine-retry"),
                sandbox.getDuration("engine-wait"),
                sandbox.getDuration("removal-wait"),
                sandbox.getDuration("artifacts-wait"),
                sandbox.getDuration("destroy-wait"));
    }

    /** Reads the consequence of an alarm from its block. */
    static Consequence consequence(String alarm, Config block) {
        return switch (block.getString("consequence").toLowerCase(Locale.ROOT)) {
            case "noted" -> Consequence.NOTED;
            case "kill" -> Consequence.KILL;
            default -> throw new IllegalArgumentException(
                    "vivarium.sandbox." + alarm + ".consequence is noted or kill.");
        };
    }

    /**
     * Between SIGTERM and SIGKILL. A run that has used up its time gets the grace that it requested; one that is idle, was
     * cancelled or is stopped by an operator gets at least the soft grace, and one on a draining node exactly that. A run
     * that exceeds any other limit would continue to exceed it, and gets the hard grace.
     */
    Duration grace(KillReason reason, Limits limits) {
        Duration own = limits.get(Limit.GRACE).duration();
        return switch (reason) {
            case WALL_CLOCK, CPU_TIME -> own;
            case IDLE, CANCELLED, OPERATOR -> own.compareTo(softGrace) > 0 ? own : softGrace;
            case DRAINED, NODE_LOST -> softGrace;
            case MEMORY,
                    SHARED_MEMORY,
                    PIDS,
                    DISK,
                    FILES,
                    OUTPUT,
                    EGRESS_REQUESTS,
                    EGRESS_BYTES,
                    EGRESS_SCAN -> hardGrace;
        };
    }

    LimitWatch.Thresholds thresholds() {
        return new LimitWatch.Thresholds(warningShare, deadlineWarningShare, outputRate, egressScan);
    }
}
