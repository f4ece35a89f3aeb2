package dev.vivarium.node.driver.oci;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.driver.DriverException;
import dev.vivarium.node.driver.docker.EngineImages;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ImageQuestionsTest {
    private final Queue<Runnable> underWay = new ArrayDeque<>();
    private final List<String> asked = new ArrayList<>();
    private String current = "sha256:1";
    private final ImageQuestions questions = new ImageQuestions(
            name -> {
                asked.add(name);
                return new EngineImages.Image(current, Map.of());
            },
            underWay::add);

    @Test
    void thoseWhoAskMeanwhileShareTheNextQuestion() {
        CompletableFuture<EngineImages.Image> first = questions.ask("a");
        CompletableFuture<EngineImages.Image> second = questions.ask("a");
        CompletableFuture<EngineImages.Image> third = questions.ask("a");

        underWay.remove().run();
        assertThat(first).isCompleted();
        assertThat(second).isNotCompleted();
        current = "sha256:2";
        underWay.remove().run();

        assertThat(second.join().id()).isEqualTo("sha256:2");
        assertThat(third.join().id()).isEqualTo("sha256:2");
        assertThat(asked).hasSize(2);
    }

    @Test
    void namesDoNotWaitForEachOther() {
        CompletableFuture<EngineImages.Image> one = questions.ask("a");
        CompletableFuture<EngineImages.Image> other = questions.ask("b");

        underWay.remove().run();
        underWay.remove().run();

        assertThat(one).isCompleted();
        assertThat(other).isCompleted();
        assertThat(asked).containsExactly("a", "b");
    }

    @Test
    void aFailureIsNotKept() {
        List<String> answers = new ArrayList<>(List.of("", "sha256:3"));
        ImageQuestions failing = new ImageQuestions(
                name -> {
                    String answer = answers.remove(0);
                    if (answer.isEmpty()) {
                        throw new DriverException(DriverException.Kind.ENGINE_UNAVAILABLE, "As scripted.");
                    }
                    return new EngineImages.Image(answer, Map.of());
                },
                Runnable::run);

        assertThat(failing.ask("a")).isCompletedExceptionally();
        assertThat(failing.ask("a").join().id()).isEqualTo("sha256:3");
    }
}
