package dev.vivarium.persistence.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.access.TokenGrant;

/** What a token grants, as all stores keep it. */
public final class TokenGrantJson {
    private TokenGrantJson() {}

    /** The stored form. */
    public static String text(TokenGrant grant) {
        try {
            return JournalJson.MAPPER.writeValueAsString(grant);
        } catch (JsonProcessingException defect) {
            throw new IllegalStateException("A grant has a JSON form.", defect);
        }
    }

    /**
     * Reads the stored form.
     *
     * @throws StoreUnavailable when it was changed, or written by a newer version
     */
    public static TokenGrant of(String text) {
        try {
            return JournalJson.MAPPER.readValue(text, TokenGrant.class);
        } catch (JsonProcessingException unreadable) {
            throw new StoreUnavailable(
                    "The store holds a token that this version cannot read: " + unreadable.getOriginalMessage(),
                    unreadable);
        }
    }
}
