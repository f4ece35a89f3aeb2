package dev.vivarium.node.cli;

import java.io.Console;
import java.util.Optional;

/** Asks the user for a secret, without showing what is typed. */
interface SecretPrompt {
    /** The value of the named secret; empty without a terminal to ask on. */
    Optional<String> ask(String name);

    /** Asks on this process's terminal, if it has one: the launcher selects a console implementation that is null without. */
    @SuppressWarnings("SystemConsoleNull")
    static SecretPrompt ofProcess() {
        return name -> {
            Console console = System.console();
            char[] typed = console == null ? null : console.readPassword("Secret %s: ", name);
            return Optional.ofNullable(typed).map(String::new);
        };
    }
}
