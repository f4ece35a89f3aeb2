package dev.vivarium.persistence.store;

import dev.vivarium.protocol.run.RunId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.zip.CRC32;

/**
 * Where the next page of the list of runs begins: after the last run of the previous page. Pure. Its text is opaque and
 * has a checksum, so that a typo is an error rather than another page; it is not a secret and protects nothing.
 *
 * @param submittedAt when that run was submitted, to the microsecond
 * @param run that run, as a tie-breaker within a microsecond
 */
public record RunCursor(Instant submittedAt, RunId run) {
    private static final byte VERSION = 1;
    private static final int RUN_BYTES = 26;
    private static final int CHECKED_BYTES = 1 + Long.BYTES + RUN_BYTES;
    private static final int BYTES = CHECKED_BYTES + Integer.BYTES;

    public RunCursor {
        submittedAt = submittedAt.truncatedTo(ChronoUnit.MICROS);
    }

    /** The text that the API gives to users. */
    public String encode() {
        ByteBuffer out = ByteBuffer.allocate(BYTES);
        out.put(VERSION)
                .putLong(ChronoUnit.MICROS.between(Instant.EPOCH, submittedAt))
                .put(run.value().getBytes(StandardCharsets.US_ASCII));
        out.putInt(checksum(out.array()));
        return Base64.getUrlEncoder().withoutPadding().encodeToString(out.array());
    }

    /**
     * Parses the text of {@link #encode}.
     *
     * @throws RunIndex.BadCursor for any other text
     */
    public static RunCursor decode(String text) {
        byte[] bytes;
        try {
            bytes = Base64.getUrlDecoder().decode(text);
        } catch (IllegalArgumentException notBase64) {
            throw new RunIndex.BadCursor();
        }
        if (bytes.length != BYTES || bytes[0] != VERSION) {
            throw new RunIndex.BadCursor();
        }
        ByteBuffer in = ByteBuffer.wrap(bytes, 1, BYTES - 1);
        Instant submittedAt = Instant.EPOCH.plus(in.getLong(), ChronoUnit.MICROS);
        byte[] run = new byte[RUN_BYTES];
        in.get(run);
        String id = new String(run, StandardCharsets.US_ASCII);
        if (in.getInt() != checksum(bytes) || !RunId.isValid(id)) {
            throw new RunIndex.BadCursor();
        }
        return new RunCursor(submittedAt, new RunId(id));
    }

    private static int checksum(byte[] bytes) {
        CRC32 checksum = new CRC32();
        checksum.update(bytes, 0, CHECKED_BYTES);
        return (int) checksum.getValue();
    }
}
