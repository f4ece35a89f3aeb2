package dev.vivarium.node.whole;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A node's answer.
 *
 * @param status the HTTP status
 * @param contentType the media type of the body
 * @param body the body, as JSON
 */
record Answer(int status, String contentType, JsonNode body) {
    /** The id of the accepted run. */
    String acceptedRun() {
        assertThat(status).as("the answer %s", body).isEqualTo(202);
        return body.path("id").asText();
    }

    /** Asserts that this is a refusal: a problem of the kind, with a sentence. */
    void assertProblem(int expectedStatus, String kind) {
        assertThat(status).as("the answer %s", body).isEqualTo(expectedStatus);
        assertThat(contentType).isEqualTo("application/problem+json");
        assertThat(body.path("type").asText()).endsWith("/" + kind);
        assertThat(body.path("detail").asText()).endsWith(".");
    }
}
