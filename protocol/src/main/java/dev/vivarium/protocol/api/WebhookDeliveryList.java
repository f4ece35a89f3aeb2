package dev.vivarium.protocol.api;

import java.util.List;

/** A run's messages to its webhook, in the order of their events. */
public record WebhookDeliveryList(List<WebhookDeliveryView> deliveries) {
    public WebhookDeliveryList {
        deliveries = List.copyOf(deliveries);
    }
}
