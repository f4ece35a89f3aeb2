package dev.vivarium.protocol.api;

/**
 * A token that was just made.
 *
 * @param token the token itself, which is shown this once
 * @param about what it is
 */
public record NewToken(String token, TokenView about) {}
