package dev.vivarium.node.cli;

/** How data is printed. */
enum OutputFormat {
    /** JSON as the API gives it. */
    json,
    /** For people. */
    table
}
