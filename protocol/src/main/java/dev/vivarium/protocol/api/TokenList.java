package dev.vivarium.protocol.api;

import java.util.List;

/**
 * The tokens of an installation.
 *
 * @param tokens the newest first
 */
public record TokenList(List<TokenView> tokens) {
    public TokenList {
        tokens = List.copyOf(tokens);
    }
}
