package dev.vivarium.node.network.resolver;

import dev.vivarium.node.network.DenialReason;
import dev.vivarium.node.network.EgressSubject;
import dev.vivarium.protocol.egress.HostName;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponseCode;
import java.util.Optional;
import java.util.Set;

/**
 * Decides what becomes of a question. Only addresses are ever asked for upstream: they are what programs connect with, and
 * four bytes a time. Texts, mail servers and the like are what tunnels bring data in with, so whoever asks for them is
 * told that there are none; what no ordinary program asks for is refused.
 */
final class NamePolicy {
    /** What the C library and ordinary programs ask for, and go on without. */
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

    private final ResolverSettings settings;
    private final NameBudgets budgets;

    NamePolicy(ResolverSettings settings, NameBudgets budgets) {
        this.settings = settings;
        this.budgets = budgets;
    }

    /** What becomes of a question. */
    sealed interface Ruling {
        /** The name is listed: its way is the gateway. */
        record ToGateway() implements Ruling {}

        /** The node's resolvers are asked. */
        record Ask(HostName name) implements Ruling {}

        /** The answer is certain, and nobody minds the question. */
        record Answer(Reply reply) implements Ruling {}

        /** It is answered like this, and it is told. */
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
            case ALLOWLIST -> subject.policy().lists(name)
                    ? listed(question, what)
                    : refused(what, DenialReason.NOT_LISTED);
            case PUBLIC -> onTheInternet(subject, question, name);
        };
    }

    /** Search lists and address look-ups of innocent programs make such names all the time; only the rest is told. */
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

    private Ruling onTheInternet(EgressSubject subject, Question question, HostName name) {
        if (!question.type().equals(DnsRecordType.A)) {
            return isOrdinary(question)
                    ? new Ruling.Answer(Reply.nothing())
                    : refused(name.value(), DenialReason.NOT_LISTED);
        }
        if (isTooLong(name) || !budgets.takeName(subject.sandbox(), name)) {
            return refused(name.value(), DenialReason.TOO_MANY);
        }
        return new Ruling.Ask(name);
    }

    private boolean isTooLong(HostName name) {
        if (name.value().length() > settings.nameLengthMax()) {
            return true;
        }
        for (String label : name.value().split("\\.", -1)) {
            if (label.length() > settings.labelLengthMax()) {
                return true;
            }
        }
        return false;
    }

    private static boolean isOrdinary(Question question) {
        return ORDINARY.contains(question.type().intValue());
    }

    private static Ruling refused(String what, DenialReason reason) {
        return new Ruling.Deny(Reply.of(DnsResponseCode.REFUSED), what, reason);
    }
}
