package dev.vivarium.protocol.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageRefTest {
    private static final String SHA256 = "0123456789abcdef".repeat(4);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "python",
                "vivarium/python",
                "python:3.12-slim",
                "localhost:5000/a",
                "registry.example.com/team/agent:v1",
                "a/b__c/d--e.f",
                "X.example/a"
            })
    void aNameWithOrWithoutRegistryAndTagIsAReference(String text) {
        assertThat(ImageRef.isValid(text)).isTrue();
    }

    @Test
    void aSha256DigestAndAnImagesIdAreReferences() {
        assertThat(ImageRef.isValid("python@sha256:" + SHA256)).isTrue();
        assertThat(ImageRef.isValid("python:3.12@sha256:" + SHA256)).isTrue();
        assertThat(ImageRef.isValid("sha256:" + SHA256)).isTrue();
    }

    @Test
    void otherDigestsAreRefusedSinceNoEngineStoresImagesByThem() {
        assertThat(ImageRef.isValid("python@sha512:" + SHA256 + SHA256)).isFalse();
        assertThat(ImageRef.isValid("python@sha256:" + SHA256.toUpperCase(java.util.Locale.ROOT)))
                .isFalse();
        assertThat(ImageRef.isValid("python@sha256:" + SHA256.substring(1))).isFalse();
        assertThat(ImageRef.isValid("python@md5:" + SHA256.substring(32))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "Python",
                "a//b",
                "/a",
                "a/",
                "a:",
                "a:b:c",
                "a@",
                "../a",
                "a/../b",
                "a b",
                "a\nb",
                "a?x=1",
                "a#b",
                "-a",
                "a-",
                "a___b",
                "host:99999/a",
                "https://a/b",
                "a:tag/b c"
            })
    void charactersWithAMeaningInPathsAreRefused(String text) {
        assertThat(ImageRef.isValid(text)).isFalse();
        assertThatThrownBy(() -> new ImageRef(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("must be an image reference");
    }

    @Test
    void lengthsAreLimited() {
        assertThat(ImageRef.isValid("a".repeat(255))).isTrue();
        assertThat(ImageRef.isValid("a".repeat(256))).isFalse();
        assertThat(ImageRef.isValid("a:" + "t".repeat(128))).isTrue();
        assertThat(ImageRef.isValid("a:" + "t".repeat(129))).isFalse();
        assertThat(ImageRef.isValid("a-".repeat(1_000_000) + "!")).isFalse();
    }

    @Test
    void aReferenceWithoutTagAndDigestMeansTheTagLatest() {
        assertThat(new ImageRef("localhost:5000/a").withTag()).hasToString("localhost:5000/a:latest");
        assertThat(new ImageRef("a:b").withTag()).hasToString("a:b");
        assertThat(new ImageRef("a@sha256:" + SHA256).withTag()).hasToString("a@sha256:" + SHA256);
    }
}
