package dev.vivarium.node.cli;

import java.nio.file.Path;

/**
 * Where the node in this process logs to. Must be called before the first logger is made; logback.xml reads these
 * properties, and without them a client logs warnings only.
 */
final class NodeLog {
    private NodeLog() {}

    static void toStandardError() {
        level();
    }

    /** Into a file, so that a terminal stays free for something else. */
    static void toFile(Path file) {
        System.setProperty("vivarium.log.appender", "FILE");
        System.setProperty("vivarium.log.file", file.toString());
        level();
    }

    private static void level() {
        if (System.getProperty("vivarium.log.level") == null) {
            System.setProperty("vivarium.log.level", "INFO");
        }
    }
}
