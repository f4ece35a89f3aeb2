package dev.vivarium.node.webhook;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import dev.vivarium.node.network.BlockedAddresses;
import dev.vivarium.node.network.BlockedRanges;
import dev.vivarium.node.network.EgressSettings;
import dev.vivarium.node.network.resolver.SpecialNames;
import dev.vivarium.protocol.egress.HostName;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Which addresses messages may go to: those that sandboxes reach, by the same value that their filter, resolver and gateway
 * have, and none of this machine; and what an operator has allowed explicitly. Thread-safe.
 */
public final class WebhookGuard {
    private static final String ALLOW = "allow-internal";

    private final Predicate<InetAddress> blocked;
    private final List<String> cidrs;
    private final BlockedRanges allowed;

    private WebhookGuard(Predicate<InetAddress> blocked, List<String> cidrs) {
        this.blocked = blocked;
        this.cidrs = List.copyOf(cidrs);
        this.allowed = BlockedRanges.only(cidrs);
    }

    /**
     * A node's guard.
     *
     * @param egress the block {@code vivarium.egress}
     * @param webhooks the block {@code vivarium.webhooks}
     * @throws ConfigException when a key is missing or invalid, naming it
     */
    public static WebhookGuard of(Config egress, Config webhooks) {
        List<String> allowed = webhooks.getStringList(ALLOW);
        try {
            return new WebhookGuard(
                    BlockedAddresses.of(EgressSettings.from(egress).blocked())::contains, allowed);
        } catch (IllegalArgumentException noBlock) {
            throw new ConfigException.BadValue(
                    "vivarium.webhooks." + ALLOW, String.valueOf(noBlock.getMessage()), noBlock);
        }
    }

    /** Whether a message may go to the address now. */
    boolean mayReach(InetAddress address) {
        return allowed.contains(address) || !blocked.test(address);
    }

    /**
     * Why the URL is out of reach, as a predicate to follow the field's name. A name is not looked up; what it leads to is
     * decided each time a message is sent.
     */
    public Optional<String> refusal(WebhookUrl url) {
        if (cidrs.isEmpty()
                && HostName.received(url.host()).filter(SpecialNames::contains).isPresent()) {
            return Optional.of("has a host for private use, " + url.host() + ": use a public one, or ask the node's"
                    + " operator to allow the addresses that it leads to (vivarium.webhooks." + ALLOW + ")");
        }
        return url.literal()
                .filter(address -> !mayReach(address))
                .map(address -> "leads to " + address.getHostAddress()
                        + ", an address inside: use a public one, or ask the node's operator to add it to"
                        + " vivarium.webhooks." + ALLOW);
    }
}
