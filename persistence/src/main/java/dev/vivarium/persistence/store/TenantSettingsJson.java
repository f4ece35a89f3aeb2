package dev.vivarium.persistence.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.access.TenantSettings;

/** Settings of tenants, as all stores keep them. */
public final class TenantSettingsJson {
    private TenantSettingsJson() {}

    /** The stored form. */
    public static String text(TenantSettings settings) {
        try {
            return JournalJson.MAPPER.writeValueAsString(settings);
        } catch (JsonProcessingException defect) {
            throw new IllegalStateException("Settings of a tenant have a JSON form.", defect);
        }
    }

    /**
     * Reads the stored form.
     *
     * @throws StoreUnavailable when it was changed, or written by a newer version
     */
    public static TenantSettings of(String text) {
        try {
            return JournalJson.MAPPER.readValue(text, TenantSettings.class);
        } catch (JsonProcessingException unreadable) {
            throw new StoreUnavailable(
                    "The store holds settings of a tenant that this version cannot read: "
                            + unreadable.getOriginalMessage(),
                    unreadable);
        }
    }
}
