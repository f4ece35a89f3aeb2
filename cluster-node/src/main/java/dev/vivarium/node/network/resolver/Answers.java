package dev.vivarium.node.network.resolver;

import dev.vivarium.node.network.BlockedRanges;
import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressLedger;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.node.network.Quota;
import io.netty.handler.codec.dns.DnsResponseCode;
import java.net.Inet4Address;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Answers questions, however they came: rules on each, asks upstream where that is the ruling, and tells what it denies. */
final class Answers {
    /** The port that denials of names are told with. */
    static final int DNS_PORT = 53;

    private final ResolverSettings settings;
    private final Inet4Address gateway;
    private final BlockedRanges blocked;
    private final NamePolicy policy;
    private final Lookups lookups;
    private final EgressLedger ledger;
    private final Quota questions;

    Answers(
            ResolverSettings settings,
            Inet4Address gateway,
            BlockedRanges blocked,
            NamePolicy policy,
            Lookups lookups,
            EgressLedger ledger) {
        this.settings = settings;
        this.gateway = gateway;
        this.blocked = blocked;
        this.policy = policy;
        this.lookups = lookups;
        this.ledger = ledger;
        this.questions = new Quota(settings.questionsMax());
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
        if (!questions.take(subject.sandbox())) {
            return CompletableFuture.completedFuture(
                    denied(subject, ask, DenialReason.TOO_MANY, DnsResponseCode.REFUSED));
        }
        return lookups.addressesOf(ask.name())
                .whenComplete((lookup, failure) -> questions.giveBack(subject.sandbox()))
                .thenApply(lookup -> judged(subject, ask, lookup));
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
        return lookup instanceof Lookup.NoAddress
                ? Reply.nothing()
                : denied(subject, ask, DenialReason.UNREACHABLE, DnsResponseCode.SERVFAIL);
    }

    private Reply denied(EgressSubject subject, NamePolicy.Ruling.Ask ask, DenialReason reason, DnsResponseCode code) {
        ledger.denied(subject, ask.name().value(), DNS_PORT, reason);
        return Reply.of(code);
    }
}
