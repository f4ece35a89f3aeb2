package dev.vivarium.node.cli;

/**
 * How much the node in this process logs. Must be called before the first logger is created; logback.xml reads the property,
 * and without it a client logs warnings only.
 */
final class NodeLog {
    private NodeLog() {}

    static void toStandardError() {
        if (System.getProperty("vivarium.log.level") == null) {
            System.setProperty("vivarium.log.level", "INFO");
        }
    }
}
