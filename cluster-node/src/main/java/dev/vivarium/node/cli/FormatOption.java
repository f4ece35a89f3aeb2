package dev.vivarium.node.cli;

import picocli.CommandLine.Option;

/** The option {@code -o}, for every command that prints data. */
final class FormatOption {
    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            defaultValue = "table",
            description = "How to print: json for programs, table for people (default: ${DEFAULT-VALUE}).")
    private OutputFormat format = OutputFormat.table;

    boolean isJson() {
        return format == OutputFormat.json;
    }
}
