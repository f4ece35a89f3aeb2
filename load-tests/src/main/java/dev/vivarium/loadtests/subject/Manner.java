package dev.vivarium.loadtests.subject;

import java.util.List;

/** How a command behaves that is to be ended. Shell alone, so that hundreds of them fit on a small machine. */
public enum Manner {
    /** Does what SIGTERM asks for. */
    POLITE("exec sleep 3600"),
    /** Ignores SIGTERM. */
    DEAF("trap '' TERM; exec sleep 3600"),
    /** Has stopped itself, so that it cannot act on a signal. */
    STOPPED("sleep 3600 & kill -STOP $!; kill -STOP $$"),
    /** Has left a deaf daemon behind, twice forked and in a session of its own, and goes on beside it. */
    DAEMON("(trap '' TERM; setsid sh -c 'sleep 3600 & exec sleep 3600' &); exec sleep 3600");

    private final String script;

    Manner(String script) {
        this.script = script;
    }

    List<String> command() {
        return List.of("sh", "-c", script);
    }

    /** How many processes it consists of once it is as it should be. */
    int processes() {
        return switch (this) {
            case POLITE, DEAF -> 1;
            case STOPPED -> 2;
            case DAEMON -> 3;
        };
    }
}
