package dev.vivarium.node.network.resolver;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponseCode;
import java.net.Inet4Address;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A reply to a sandbox: addresses, or none with the reason. Aliases are not included: addresses are given as the
 * requested name's own, with a pointer to it. So every reply fits into 512 bytes, none is truncated, and aliases cannot
 * carry data in.
 *
 * @param code the response code
 * @param addresses at most {@link Lookups#ADDRESSES_MAX}
 * @param ttlSeconds how long the sandbox may cache them
 */
record Reply(DnsResponseCode code, List<Inet4Address> addresses, int ttlSeconds) {
    static final int BYTES_MAX = 512;

    private static final int HEADER_BYTES = 12;
    private static final int RESPONSE = 1 << 15;
    private static final int RECURSION_DESIRED = 1 << 8;
    private static final int RECURSION_AVAILABLE = 1 << 7;
    private static final int POINTER_TO_QUESTION = 0xc000 | HEADER_BYTES;
    private static final int IPV4_BYTES = 4;
    private static final int EDNS_PAYLOAD_BYTES = 1232;

    Reply {
        addresses = List.copyOf(addresses);
    }

    static Reply of(DnsResponseCode code) {
        return new Reply(code, List.of(), 0);
    }

    /** The name exists, but has no record of the requested type. */
    static Reply nothing() {
        return of(DnsResponseCode.NOERROR);
    }

    /** A message that says only that the question with this id was not understood. */
    static ByteBuf notUnderstood(int id, ByteBufAllocator allocator) {
        return allocator
                .buffer(HEADER_BYTES)
                .writeShort(id)
                .writeShort(RESPONSE | RECURSION_AVAILABLE | DnsResponseCode.FORMERR.intValue())
                .writeZero(HEADER_BYTES - 2 * Short.BYTES);
    }

    ByteBuf encode(Question question, ByteBufAllocator allocator) {
        ByteBuf message = allocator.buffer(BYTES_MAX);
        message.writeShort(question.id());
        message.writeShort(RESPONSE
                | (question.recursionDesired() ? RECURSION_DESIRED : 0)
                | RECURSION_AVAILABLE
                | code.intValue());
        message.writeShort(1).writeShort(addresses.size()).writeShort(0).writeShort(question.extended() ? 1 : 0);
        writeName(question.name(), message);
        message.writeShort(question.type().intValue()).writeShort(question.dnsClass());
        for (Inet4Address address : addresses) {
            message.writeShort(POINTER_TO_QUESTION)
                    .writeShort(DnsRecordType.A.intValue())
                    .writeShort(question.dnsClass())
                    .writeInt(ttlSeconds)
                    .writeShort(IPV4_BYTES)
                    .writeBytes(address.getAddress());
        }
        if (question.extended()) {
            // The root name, the type, the payload size, no flags and no options.
            message.writeByte(0)
                    .writeShort(DnsRecordType.OPT.intValue())
                    .writeShort(EDNS_PAYLOAD_BYTES)
                    .writeInt(0)
                    .writeShort(0);
        }
        return message;
    }

    private static void writeName(String name, ByteBuf message) {
        if (!name.equals(".")) {
            for (String label : name.substring(0, name.length() - 1).split("\\.", -1)) {
                message.writeByte(label.length());
                message.writeCharSequence(label, StandardCharsets.US_ASCII);
            }
        }
        message.writeByte(0);
    }
}
