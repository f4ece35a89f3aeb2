package dev.vivarium.persistence.audit;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.vivarium.persistence.journal.JournalJson;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;

/**
 * Where the next page of a query begins. Pure. Its text is opaque and bound to the query by a digest over both, so that a
 * typo, or a cursor of another query, is an error rather than another page. It is not a secret and protects nothing:
 * whoever makes one up gets what the same query may show anyway.
 *
 * @param position the bound: the next page has positions below it, or from it on, by the query's order
 */
record AuditCursor(long position) {
    private static final byte VERSION = 1;
    private static final int QUERY_BYTES = 8;
    private static final int SUM_BYTES = 8;
    private static final int BYTES = 1 + Long.BYTES + QUERY_BYTES + SUM_BYTES;

    String encode(AuditFilter filter, AuditOrder order) {
        ByteBuffer out = ByteBuffer.allocate(BYTES);
        out.put(VERSION).putLong(position).put(digest(filter, order), 0, QUERY_BYTES);
        out.put(sha256(Arrays.copyOf(out.array(), BYTES - SUM_BYTES)), 0, SUM_BYTES);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(out.array());
    }

    /**
     * Reads the text of {@link #encode} for the same query.
     *
     * @throws AuditQuery.BadCursor with a sentence for the user for any other text
     */
    static AuditCursor decode(String text, AuditFilter filter, AuditOrder order) {
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(text);
        } catch (IllegalArgumentException notBase64) {
            throw foreign();
        }
        int summed = BYTES - SUM_BYTES;
        if (bytes.length != BYTES
                || bytes[0] != VERSION
                || !Arrays.equals(bytes, summed, BYTES, sha256(Arrays.copyOf(bytes, summed)), 0, SUM_BYTES)) {
            throw foreign();
        }
        int query = 1 + Long.BYTES;
        if (!Arrays.equals(bytes, query, query + QUERY_BYTES, digest(filter, order), 0, QUERY_BYTES)) {
            throw new AuditQuery.BadCursor(
                    "The cursor belongs to another query: send it with the filters and the order of its own page.");
        }
        return new AuditCursor(ByteBuffer.wrap(bytes, 1, Long.BYTES).getLong());
    }

    private static AuditQuery.BadCursor foreign() {
        return new AuditQuery.BadCursor(
                "The cursor was not issued by this API: take it from the 'next' field of the previous page.");
    }

    private static byte[] digest(AuditFilter filter, AuditOrder order) {
        try {
            return sha256((order + JournalJson.MAPPER.writeValueAsString(filter)).getBytes(StandardCharsets.UTF_8));
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("A filter has a JSON form.", impossible);
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("Every Java platform has SHA-256.", missing);
        }
    }
}
