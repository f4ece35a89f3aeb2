package dev.vivarium.node.webhook;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/** What is counted of webhooks: on the node that sends them, and zero on all others. Thread-safe. */
final class WebhookMetrics {
    private final MeterRegistry registry;
    private final AtomicInteger pending = new AtomicInteger();

    WebhookMetrics(MeterRegistry registry) {
        this.registry = registry;
        Gauge.builder("vivarium.webhook.pending", pending, AtomicInteger::get)
                .description("Messages to webhooks that wait to be sent, for the first time or again; on the node that"
                        + " sends them")
                .register(registry);
    }

    void pending(int count) {
        pending.set(count);
    }

    void sent(SendResult result) {
        registry.counter(
                        "vivarium.webhook.attempts",
                        "result",
                        result.kind().name().toLowerCase(Locale.ROOT))
                .increment();
    }
}
