package dev.vivarium.persistence.secrets;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TokenSealTest {
    private static final SecretSeal.Key KEY = SecretSeal.Key.random();
    private final TokenSeal seal = new TokenSeal(List.of(KEY));

    @ParameterizedTest
    @EnumSource
    void aTokenIsRecognizedByItsInstallation(TokenSeal.Form form) {
        TokenSeal.Minted token = seal.mint(form);

        assertThat(token.text()).matches("(viv|e2b)_[0-9a-f]{80}");
        assertThat(new TokenSeal(List.of(KEY)).recognize(token.text())).contains(token.recognized());
        assertThat(token.text())
                .doesNotContain(token.recognized().id().value())
                .doesNotContain(token.recognized().verifier().toHex());
    }

    @Test
    void aTokenOfAnotherInstallationIsNot() {
        TokenSeal other = new TokenSeal(List.of(SecretSeal.Key.random()));

        assertThat(seal.recognize(other.mint(TokenSeal.Form.VIV).text())).isEmpty();
    }

    @Test
    void aTokenSurvivesANewMasterKeyAsLongAsTheOldOneIsKept() {
        String token = seal.mint(TokenSeal.Form.VIV).text();
        SecretSeal.Key successor = SecretSeal.Key.random();

        assertThat(new TokenSeal(List.of(successor, KEY)).recognize(token)).isEqualTo(seal.recognize(token));
        assertThat(new TokenSeal(List.of(successor)).recognize(token)).isEmpty();
    }

    @Test
    void aTokenWithAnyOtherDigitOrPrefixIsNotRecognized() {
        String token = seal.mint(TokenSeal.Form.VIV).text();

        assertThat(IntStream.range(4, token.length()).mapToObj(at -> changed(token, at)))
                .noneMatch(changed -> seal.recognize(changed).isPresent())
                .allMatch(TokenSeal::isWhole);
        assertThat(seal.recognize("e2b_" + token.substring(4))).isEmpty();
    }

    @Test
    void aTokenThatIsCutOffOrLongerIsNotWhole() {
        String token = seal.mint(TokenSeal.Form.VIV).text();

        assertThat(IntStream.range(0, token.length()).mapToObj(end -> token.substring(0, end)))
                .noneMatch(TokenSeal::isWhole);
        assertThat(List.of(
                        token + "0",
                        " " + token,
                        token + "\n",
                        "viv-" + token.substring(4),
                        token.toUpperCase(java.util.Locale.ROOT)))
                .noneMatch(TokenSeal::isWhole);
    }

    private static String changed(String token, int at) {
        char other = token.charAt(at) == '0' ? '1' : '0';
        return token.substring(0, at) + other + token.substring(at + 1);
    }
}
