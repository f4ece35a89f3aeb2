package dev.vivarium.node.network.resolver;

import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.node.network.ListedNames;
import dev.vivarium.protocol.egress.HostName;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponseCode;
import java.util.Optional;
import java.util.Set;

/**
 * Decides how to answer a question. Only addresses are ever requested upstream: programs need them to connect, and each
 * conveys just four bytes. Text and mail records and the like serve tunnels, so the answer is that there are none;
 * types that no ordinary program asks for are refused.
 */
final class NamePolicy {
    /** Types that the C library and ordinary programs ask for, and can do without. */
    private static final Set<Integer> ORDINARY = Set.of(
            DnsRecordType.AAAA.intValue(), // sandboxes have no IPv6
            65, // HTTPS: would lead past the names in TLS
            64, // SVCB
            DnsRecordType.CNAME.intValue(),
            DnsRecordType.MX.intValue(),
            DnsRecordType.NAPTR.intValue(),
            DnsRecordType.NS.intValue(),
            DnsRecordType.PTR.intValue(),
            DnsRecordType.SOA.intValue(),
            DnsRecordType.SRV.intValue(),
            DnsRecordType.TXT.intValue(),
            DnsRecordType.CAA.intValue(),
            DnsRecordType.DS.intValue(),
            DnsRecordType.DNSKEY.intValue());

    private final NameBudgets budgets;

    NamePolicy(NameBudgets budgets) {
        this.budgets = budgets;
    }

    /** The decision about a question. */
    sealed interface Ruling {
        /** The name is listed: answered with the gateway's address. */
        record ToGateway() implements Ruling {}

        /** Ask the node's resolvers. */
        record Ask(HostName name) implements Ruling {}

        /** The answer is known, and the question harmless. */
        record Answer(Reply reply) implements Ruling {}

        /** Answer like this, and record a denial. */
        record Deny(Reply reply, String what, DenialReason reason) implements Ruling {}
    }

    Ruling decide(EgressSubject subject, Question question) {
        Optional<HostName> received = HostName.received(question.name());
        String what = received.map(HostName::value).orElse("a name that no host has");
        if (!budgets.takeQuestion(subject.sandbox())) {
            return refused(what, DenialReason.TOO_MANY);
        }
        if (question.dnsClass() != DnsRecord.CLASS_IN) {
            return refused(what, DenialReason.NOT_LISTED);
        }
        if (received.isEmpty()) {
            return question.name().equals(".") && isOrdinary(question)
                    ? new Ruling.Answer(Reply.nothing())
                    : refused(what, DenialReason.MALFORMED);
        }
        HostName name = received.get();
        if (SpecialNames.contains(name)) {
            return special(name);
        }
        return switch (subject.policy().mode()) {
            case NONE -> refused(what, DenialReason.NOT_LISTED);
            case ALLOWLIST -> ListedNames.contains(subject.policy(), name)
                    ? listed(question, what)
                    : refused(what, DenialReason.NOT_LISTED);
            case PUBLIC -> onTheInternet(question, name);
        };
    }

    /**
     * Search lists and reverse look-ups of innocent programs produce such names all the time; only others are recorded.
     */
    private static Ruling special(HostName name) {
        Reply none = Reply.of(DnsResponseCode.NXDOMAIN);
        boolean innocent = !name.isQualified() || name.value().endsWith(".arpa");
        return innocent ? new Ruling.Answer(none) : new Ruling.Deny(none, name.value(), DenialReason.INTERNAL_ADDRESS);
    }

    private static Ruling listed(Question question, String what) {
        if (question.type().equals(DnsRecordType.A)) {
            return new Ruling.ToGateway();
        }
        return isOrdinary(question) ? new Ruling.Answer(Reply.nothing()) : refused(what, DenialReason.NOT_LISTED);
    }

    private static Ruling onTheInternet(Question question, HostName name) {
        if (!question.type().equals(DnsRecordType.A)) {
            return isOrdinary(question)
                    ? new Ruling.Answer(Reply.nothing())
                    : refused(name.value(), DenialReason.NOT_LISTED);
        }
        return new Ruling.Ask(name);
    }

    private static boolean isOrdinary(Question question) {
        return ORDINARY.contains(question.type().intValue());
    }

    private static Ruling refused(String what, DenialReason reason) {
        return new Ruling.Deny(Reply.of(DnsResponseCode.REFUSED), what, reason);
    }
}
