package dev.vivarium.protocol.guest;

/**
 * Bytes that are no frame, or a frame that cannot be put into bytes. A channel on which such bytes came has lost its
 * step and is of no further use.
 */
public final class MalformedFrameException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    MalformedFrameException(String sentence) {
        super(sentence);
    }
}
