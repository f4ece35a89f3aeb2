package dev.vivarium.node.network;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.egress.HostName;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ListedNamesTest {
    private final EgressPolicy policy = EgressPolicy.allowlist(List.of(
            EgressDestination.parse("*.amazonaws.com:443"),
            EgressDestination.parse("ours.s3.amazonaws.com:443"),
            EgressDestination.parse("*.example.com:443")));

    @ParameterizedTest
    @ValueSource(strings = {"sts.amazonaws.com", "ours.s3.amazonaws.com", "a.example.com", "a_b.c.example.com"})
    void aWildcardHasWhatIsBelowItsDomain(String name) {
        assertThat(ListedNames.contains(policy, HostName.parse(name))).isTrue();
        assertThat(ListedNames.contains(policy, HostName.parse(name), 443)).isTrue();
        assertThat(ListedNames.contains(policy, HostName.parse(name), 80)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "s3.amazonaws.com",
                "theirs.s3.amazonaws.com",
                "a.theirs.s3.amazonaws.com",
                "their_bucket.s3.amazonaws.com",
                "theirs.eu-central-1.compute.amazonaws.com",
                "amazonaws.com",
                "example.com"
            })
    void aWildcardEndsWhereStrangersRegisterNames(String name) {
        assertThat(ListedNames.contains(policy, HostName.parse(name))).isFalse();
        assertThat(ListedNames.contains(policy, HostName.parse(name), 443)).isFalse();
    }
}
