package dev.vivarium.protocol.api;

import java.util.List;

/**
 * Legal holds.
 *
 * @param holds by tenant
 */
public record LegalHoldList(List<LegalHold> holds) {
    public LegalHoldList {
        holds = List.copyOf(holds);
    }
}
