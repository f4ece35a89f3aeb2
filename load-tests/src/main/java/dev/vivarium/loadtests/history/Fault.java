package dev.vivarium.loadtests.history;

import java.time.Duration;
import java.util.Locale;

/**
 * Something that is done to the cluster.
 *
 * @param kind what
 * @param node to which node, from 1; 0 when it is done to what all nodes share
 * @param quiet how long the cluster is left alone before it
 * @param lasting from its beginning until it is undone
 * @param after what is waited for before the next one
 */
public record Fault(Kind kind, int node, Duration quiet, Duration lasting, After after) {
    /** What can be done. */
    public enum Kind {
        /** SIGKILL to a node, which is started again. */
        KILL(true),
        /** SIGSTOP to a node, and SIGCONT: for a moment, or until its peers have given it up. */
        FREEZE(true),
        /** The packets between a node and its peers are dropped; store, engine and clients still reach it. */
        CUT(true),
        /** SIGTERM to a node, which drains and is started again. */
        STOP(true),
        /** SIGKILL to the store, which is started again. */
        STORE(false),
        /** SIGKILL to the container engine, which is started again. */
        ENGINE(false);

        private final boolean ofANode;

        Kind(boolean ofANode) {
            this.ofANode = ofANode;
        }

        boolean isOfANode() {
            return ofANode;
        }
    }

    /** What is waited for when it has been undone. */
    public enum After {
        /** All nodes are ready. */
        WHOLE,
        /** Nothing: the next fault meets a cluster that is still at it. */
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
