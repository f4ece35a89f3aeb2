package dev.vivarium.terminal;

import picocli.CommandLine.Option;

/** The option {@code -o}, for every command that prints data. */
public final class FormatOption {
    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            defaultValue = "table",
            description = "How to print: json for programs, table for people (default: ${DEFAULT-VALUE}).")
    private OutputFormat format = OutputFormat.table;

    public boolean isJson() {
        return format == OutputFormat.json;
    }
}
