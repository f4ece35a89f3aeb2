package dev.vivarium.protocol.guest;

/**
 * Bytes that are not a frame, or a frame that cannot be encoded. A channel that carried such bytes is out of step and
 * unusable.
 */
public final class MalformedFrameException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    MalformedFrameException(String sentence) {
        super(sentence);
    }
}
