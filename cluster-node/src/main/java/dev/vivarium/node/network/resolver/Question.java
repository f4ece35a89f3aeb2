package dev.vivarium.node.network.resolver;

import io.netty.handler.codec.dns.DnsOpCode;
import io.netty.handler.codec.dns.DnsQuery;
import io.netty.handler.codec.dns.DnsQuestion;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsSection;
import java.util.Optional;

/**
 * What a sandbox asks, freed from the packet that it came in.
 *
 * @param id the transaction
 * @param recursionDesired as it was set
 * @param extended whether the sandbox speaks EDNS
 * @param name the name as it was written, with the dot at the end
 * @param type what is wanted of it
 * @param dnsClass the class that is asked about
 */
record Question(int id, boolean recursionDesired, boolean extended, String name, DnsRecordType type, int dnsClass) {
    private static final int NAME_LENGTH_MAX = 254;
    private static final int LABEL_LENGTH_MAX = 63;

    /** The question of a message; empty when it is not exactly one that can be asked and written back. */
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
