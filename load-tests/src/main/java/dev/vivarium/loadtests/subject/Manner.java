package dev.vivarium.loadtests.subject;

import java.util.List;

/** How a command that is to be ended behaves. Shell only, so that hundreds of them fit on a small machine. */
public enum Manner {
    /** Ends on SIGTERM. */
    POLITE("exec sleep 3600"),
    /** Ignores SIGTERM. */
    DEAF("trap '' TERM; exec sleep 3600"),
    /** Has stopped itself, so that it cannot act on a signal. */
    STOPPED("sleep 3600 & kill -STOP $!; kill -STOP $$"),
    /** Has left behind a daemon that ignores SIGTERM, twice forked and in its own session, and keeps running itself. */
    DAEMON("(trap '' TERM; setsid sh -c 'sleep 3600 & exec sleep 3600' &); exec sleep 3600");

    private final String script;

    Manner(String script) {
        this.script = script;
    }

    List<String> command() {
        return List.of("sh", "-c", script);
    }

    /** The number of its processes once it is set up. */
    int processes() {
        return switch (this) {
            case POLITE, DEAF -> 1;
            case STOPPED -> 2;
            case DAEMON -> 3;
        };
    }
}
