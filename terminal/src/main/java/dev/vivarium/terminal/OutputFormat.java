package dev.vivarium.terminal;

/** How data is printed. */
enum OutputFormat {
    /** The API's JSON. */
    json,
    /** For people. */
    table
}
