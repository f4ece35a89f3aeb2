package dev.vivarium.loadtests.history;

import dev.vivarium.loadtests.subject.Driver;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * A fault injected into the cluster.
 *
 * @param kind the kind of fault
 * @param node the node, from 1; 0 for a fault of something shared
 * @param quiet the quiet time before it
 * @param lasting from its beginning until it is undone
 * @param after what to wait for before the next fault
 */
public record Fault(Kind kind, int node, Duration quiet, Duration lasting, After after) {
    /** The kinds of faults. */
    public enum Kind {
        /** SIGKILL to a node, which is restarted. */
        KILL(true),
        /** SIGSTOP to a node, and SIGCONT: for a moment, or until its peers have downed it. */
        FREEZE(true),
        /** Packets between a node and its peers are dropped; store, engine and clients still reach it. */
        CUT(true),
        /** SIGTERM to a node, which drains and is restarted. */
        STOP(true),
        /** SIGKILL to the store, which is restarted. */
        STORE(false),
        /** SIGKILL to the container engine, which is restarted. */
        ENGINE(false),
        /** SIGKILL to a node's launcher, of which the node starts another (driver oci). */
        LAUNCHER(true);

        private final boolean ofANode;

        Kind(boolean ofANode) {
            this.ofANode = ofANode;
        }

        boolean isOfANode() {
            return ofANode;
        }

        /** Those of a trial whose user names none: an engine that may be killed is one of the trial's own. */
        public static Set<Kind> usual(Driver driver) {
            return driver == Driver.OCI
                    ? EnumSet.of(KILL, FREEZE, CUT, STOP, STORE, LAUNCHER)
                    : EnumSet.of(KILL, FREEZE, CUT, STOP, STORE);
        }
    }

    /** What to wait for after the fault is undone. */
    public enum After {
        /** All nodes are ready. */
        WHOLE,
        /** Nothing: the next fault hits a cluster that is still recovering. */
        AT_ONCE
    }

    @Override
    public String toString() {
        String whom = node == 0 ? "" : " node " + node;
        return String.format(
                Locale.ROOT,
                "%.1f s of quiet, then %s%s for %.1f s%s",
                quiet.toMillis() / 1e3,
                kind.name().toLowerCase(Locale.ROOT),
                whom,
                lasting.toMillis() / 1e3,
                after == After.AT_ONCE ? ", and on at once" : "");
    }
}
