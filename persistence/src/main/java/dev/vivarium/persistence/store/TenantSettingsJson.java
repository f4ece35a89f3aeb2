package dev.vivarium.persistence.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.vivarium.persistence.journal.JournalJson;
import dev.vivarium.persistence.journal.StoreUnavailable;
import dev.vivarium.protocol.access.TenantSettings;
import dev.vivarium.protocol.access.TenantWebhooks;

/** Settings of tenants, as all stores keep them. */
public final class TenantSettingsJson {
    /** Settings of versions before it have none. */
    private static final String WEBHOOKS = "webhooks";

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
            JsonNode stored = JournalJson.MAPPER.readTree(text);
            if (stored instanceof ObjectNode settings && !settings.has(WEBHOOKS)) {
                settings.set(WEBHOOKS, JournalJson.MAPPER.valueToTree(TenantWebhooks.NONE));
            }
            return JournalJson.MAPPER.treeToValue(stored, TenantSettings.class);
        } catch (JsonProcessingException unreadable) {
            throw new StoreUnavailable(
                    "The store holds settings of a tenant that this version cannot read: "
                            + unreadable.getOriginalMessage(),
                    unreadable);
        }
    }
}
