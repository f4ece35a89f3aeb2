package dev.vivarium.node.network.resolver;

import dev.vivarium.node.network.BlockedAddresses;
import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubject;
import io.netty.handler.codec.dns.DnsResponseCode;
import java.net.Inet4Address;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Answers questions from UDP and TCP: applies the policy, asks upstream where it says so, and records denials. */
final class Answers {
    /** The port with which denied names are recorded. */
    static final int DNS_PORT = 53;

    private final ResolverSettings settings;
    private final Inet4Address gateway;
    private final BlockedAddresses blocked;
    private final NamePolicy policy;
    private final SandboxLookups lookups;
    private final EgressLedger ledger;

    Answers(
            ResolverSettings settings,
            Inet4Address gateway,
            BlockedAddresses blocked,
            NamePolicy policy,
            SandboxLookups lookups,
            EgressLedger ledger) {
        this.settings = settings;
        this.gateway = gateway;
        this.blocked = blocked;
        this.policy = policy;
        this.lookups = lookups;
        this.ledger = ledger;
    }

    CompletionStage<Reply> to(EgressSubject subject, Question question) {
        NamePolicy.Ruling ruling = policy.decide(subject, question);
        if (ruling instanceof NamePolicy.Ruling.Ask ask) {
            return asked(subject, ask);
        }
        if (ruling instanceof NamePolicy.Ruling.Deny deny) {
            ledger.denied(subject, deny.what(), DNS_PORT, deny.reason());
            return CompletableFuture.completedFuture(deny.reply());
        }
        if (ruling instanceof NamePolicy.Ruling.Answer answer) {
            return CompletableFuture.completedFuture(answer.reply());
        }
        int ttlSeconds = (int) settings.listedTtl().toSeconds();
        return CompletableFuture.completedFuture(new Reply(DnsResponseCode.NOERROR, List.of(gateway), ttlSeconds));
    }

    private CompletionStage<Reply> asked(EgressSubject subject, NamePolicy.Ruling.Ask ask) {
        return lookups.addressesOf(subject, ask.name()).thenApply(lookup -> judged(subject, ask, lookup));
    }

    private Reply judged(EgressSubject subject, NamePolicy.Ruling.Ask ask, Lookup lookup) {
        if (lookup instanceof Lookup.Found found) {
            List<Inet4Address> outside = found.addresses().stream()
                    .filter(address -> !blocked.contains(address))
                    .toList();
            if (outside.size() < found.addresses().size()) {
                Reply none = denied(subject, ask, DenialReason.INTERNAL_ADDRESS, DnsResponseCode.NXDOMAIN);
                if (outside.isEmpty()) {
                    return none;
                }
            }
            int ttlSeconds =
                    (int) Math.min(found.ttlSeconds(), settings.ttlMax().toSeconds());
            return new Reply(DnsResponseCode.NOERROR, outside, ttlSeconds);
        }
        if (lookup instanceof Lookup.NoSuchHost) {
            return Reply.of(DnsResponseCode.NXDOMAIN);
        }
        if (lookup instanceof Lookup.Refused) {
            return denied(subject, ask, DenialReason.TOO_MANY, DnsResponseCode.REFUSED);
        }
        return lookup instanceof Lookup.NoAddress
                ? Reply.nothing()
                : denied(subject, ask, DenialReason.UNREACHABLE, DnsResponseCode.SERVFAIL);
    }

    private Reply denied(EgressSubject subject, NamePolicy.Ruling.Ask ask, DenialReason reason, DnsResponseCode code) {
        ledger.denied(subject, ask.name().value(), DNS_PORT, reason);
        return Reply.of(code);
    }
}
