package dev.vivarium.node.webhook;

/**
 * What came of sending a message.
 *
 * @param answer for the list of deliveries: a status, or why there is none
 */
record SendResult(Kind kind, String answer) {
    enum Kind {
        /** The endpoint has answered with a status of success. */
        ACCEPTED,
        /** It has not; it may do so later. */
        FAILED,
        /** It wants no messages any more (410). */
        GONE
    }

    static SendResult failed(String answer) {
        return new SendResult(Kind.FAILED, answer);
    }
}
