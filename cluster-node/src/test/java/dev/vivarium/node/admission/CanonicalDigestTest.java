package dev.vivarium.node.admission;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CanonicalDigestTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            {"a": 1, "b": "x"}      | {"b":"\\u0078","a":1.0}
            {"a": [1, null, true]}  | {"a": [1e0, null, true]}
            {"secrets": {"K": "1"}} | {"secrets": {"K": "2"}}
            """)
    void equivalentRequestsHaveTheSameDigest(String one, String other) {
        assertThat(digest(one)).isEqualTo(digest(other));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            {"a": 1}                | {"a": "1"}
            {"a": true}             | {"a": "true"}
            {"a": null}             | {}
            {"a": ["b", "c"]}       | {"a": ["bc"]}
            {"a": [["b"], "c"]}     | {"a": [["b", "c"]]}
            {"a": {"b": "c"}}       | {"a": {"bc": ""}}
            {"a": 10}               | {"a": 1}
            {"secrets": {"K": "1"}} | {"secrets": {"L": "1"}}
            {"a": {"secrets": {"K": "1"}}} | {"a": {"secrets": {"K": "2"}}}
            """)
    void differentRequestsHaveDifferentDigests(String one, String other) {
        assertThat(digest(one)).isNotEqualTo(digest(other));
    }

    private static Object digest(String json) {
        StrictJson.Parsed parsed = new StrictJson(1000).parse(json.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        return CanonicalDigest.ofBody(((StrictJson.Parsed.Tree) parsed).root());
    }
}
