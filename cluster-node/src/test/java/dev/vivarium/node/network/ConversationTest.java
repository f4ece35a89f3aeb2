package dev.vivarium.node.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ConversationTest {
    private Conversation conversation = with("while read -r line; do echo \"$$ $line\"; done");

    private static Conversation with(String script) {
        return new Conversation(() -> List.of("sh", "-c", script), Map.of("TOLD", "word"));
    }

    @AfterEach
    void end() {
        conversation.close();
    }

    private String ask(String request) throws IOException {
        return conversation.ask(request, any -> true).get(0);
    }

    private static String processOf(String answer) {
        return answer.substring(0, answer.indexOf(' '));
    }

    @Test
    void oneProgramAnswersAllRequests() throws IOException {
        String first = ask("a");
        String second = ask("b");

        assertThat(first).endsWith(" a");
        assertThat(second).isEqualTo(processOf(first) + " b");
    }

    @Test
    void anAnswerMayHaveManyLines() throws IOException {
        assertThat(conversation.ask("a\nb\nend", line -> line.endsWith(" end")))
                .extracting(line -> line.substring(line.indexOf(' ') + 1))
                .containsExactly("a", "b", "end");
    }

    @Test
    void aProgramThatEndsFailsItsRequestAndIsReplacedByTheNext() throws IOException {
        conversation.close();
        conversation = with("read -r line; echo \"$$ $line\"; read -r line; [ \"$line\" = stay ] && echo \"$$ $line\"");
        String first = ask("a");

        assertThatThrownBy(() -> ask("go")).isInstanceOf(IOException.class).hasMessageContaining("has ended");
        assertThat(processOf(ask("b"))).isNotEqualTo(processOf(first));
        assertThat(ask("stay")).endsWith(" stay");
    }

    @Test
    void itIsToldItsEnvironment() throws IOException {
        conversation.close();
        conversation = with("read -r line; echo \"$TOLD\"");

        assertThat(ask("a")).isEqualTo("word");
    }

    @Test
    void aMissingProgramIsASentence() {
        Conversation missing = new Conversation(() -> List.of("vivarium-nonsuch"), Map.of());

        assertThatThrownBy(() -> missing.ask("a", any -> true))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("vivarium-nonsuch");
    }

    @Test
    void afterItsEndNothingIsStarted() {
        conversation.close();

        assertThatThrownBy(() -> ask("a")).hasMessage("The node is shutting down.");
    }
}
