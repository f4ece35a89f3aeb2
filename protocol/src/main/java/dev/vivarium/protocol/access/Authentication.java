package dev.vivarium.protocol.access;

/** What a presented {@link Credential} proves. */
public sealed interface Authentication {
    /** Who presented it. */
    record Known(Identity identity) implements Authentication {}

    /**
     * Nothing.
     *
     * @param why a sentence for the user, which says what to do
     */
    record Refused(String why) implements Authentication {}

    /**
     * Nothing yet: what decides cannot be had at the moment.
     *
     * @param why a sentence for the user, which says what to do
     */
    record Undecided(String why) implements Authentication {}
}
