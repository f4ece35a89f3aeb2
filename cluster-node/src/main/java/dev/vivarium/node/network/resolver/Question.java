package dev.vivarium.node.network.resolver;

import io.netty.handler.codec.dns.DnsOpCode;
import io.netty.handler.codec.dns.DnsQuery;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsSection;
import java.util.Optional;

/**
 * A sandbox's question, independent of its packet.
 *
 * @param id the transaction id
 * @param recursionDesired that flag of the question
 * @param extended whether the sandbox uses EDNS
 * @param name the name as written, with the final dot
 * @param type the record type
 * @param dnsClass the record class
 */
record Question(int id, boolean recursionDesired, boolean extended, String name, DnsRecordType type, int dnsClass) {
    private static final int NAME_LENGTH_MAX = 254;
    private static final int LABEL_LENGTH_MAX = 63;

    /** The question of a message; empty unless there is exactly one, in a form that can be answered. */
    static Optional<Question> of(DnsQuery query) {
        if (!query.opCode().equals(DnsOpCode.QUERY)
                || query.count(DnsSection.QUESTION) != 1
                || query.count(DnsSection.ANSWER) != 0
                || query.count(DnsSection.AUTHORITY) != 0) {
            return Optional.empty();
        }
        DnsQuestion question = query.recordAt(DnsSection.QUESTION);
        if (!canBeWritten(question.name())) {
            return Optional.empty();
        }
        boolean extended = false;
        for (int i = 0; i < query.count(DnsSection.ADDITIONAL); i++) {
            extended |= query.recordAt(DnsSection.ADDITIONAL, i).type().equals(DnsRecordType.OPT);
        }
        return Optional.of(new Question(
                query.id(),
                query.isRecursionDesired(),
                extended,
                question.name(),
                question.type(),
                question.dnsClass()));
    }

    private static boolean canBeWritten(String name) {
        if (name.equals(".")) {
            return true;
        }
        if (name.length() > NAME_LENGTH_MAX
                || !name.endsWith(".")
                || name.chars().anyMatch(c -> c <= ' ' || c > '~')) {
            return false;
        }
        for (String label : name.substring(0, name.length() - 1).split("\\.", -1)) {
            if (label.isEmpty() || label.length() > LABEL_LENGTH_MAX) {
                return false;
            }
        }
        return true;
    }
}
