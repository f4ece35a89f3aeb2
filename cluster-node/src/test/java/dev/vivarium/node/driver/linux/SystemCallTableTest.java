package dev.vivarium.node.driver.linux;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.vivarium.protocol.run.Isolation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Compares the table of refused system calls in SECURITY.md with the filter. */
class SystemCallTableTest {
    private static final Pattern CALL = Pattern.compile("`([a-z0-9_]+)`");

    private final JsonNode rules = rules();
    private final List<String> table = table();

    @Test
    void noCallOfTheTableIsAllowedUnconditionally() {
        Set<String> always = names(stream(rules)
                .filter(rule -> rule.get("action").asText().equals("SCMP_ACT_ALLOW") && !rule.has("args")));

        assertThat(refused()).isNotEmpty().doesNotContainAnyElementsOf(always);
    }

    @Test
    void everyConditionalOrSpeciallyAnsweredCallIsInTheTable() {
        Set<String> special = names(stream(rules).filter(rule -> rule.has("args") || rule.has("errnoRet")));
        // Aliases of the same call, and calls that are always refused with the errno of the table.
        special.removeAll(Set.of("mmap2", "socketpair"));

        assertThat(refused()).containsAll(special);
    }

    @Test
    void everyRowGivesAReasonAndTheAffectedPrograms() {
        assertThat(table)
                .allSatisfy(row -> assertThat(row.split("\\|", -1)).hasSize(5).allSatisfy(cell -> assertThat(
                                cell.isEmpty() || !cell.isBlank())
                        .isTrue()));
    }

    private Set<String> refused() {
        return table.stream()
                .map(row -> row.split("\\|", -1)[1])
                .flatMap(cell -> CALL.matcher(cell).results().map(found -> found.group(1)))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> names(Stream<JsonNode> rules) {
        return rules.flatMap(rule -> stream(rule.get("names")))
                .map(JsonNode::asText)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Stream<JsonNode> stream(JsonNode array) {
        return Stream.iterate(0, index -> index < array.size(), index -> index + 1)
                .map(array::get);
    }

    private static JsonNode rules() {
        try {
            return new ObjectMapper()
                    .readTree(new SystemCallFilter().json(Isolation.CONTAINER))
                    .get("syscalls");
        } catch (IOException impossible) {
            throw new AssertionError(impossible);
        }
    }

    private static List<String> table() {
        try {
            return Files.readAllLines(Path.of("..", "SECURITY.md")).stream()
                    .dropWhile(line -> !line.startsWith("## System calls"))
                    .takeWhile(line -> !line.startsWith("## Kernel files"))
                    .filter(line -> line.startsWith("| ") && !line.startsWith("| refused"))
                    .toList();
        } catch (IOException failure) {
            throw new AssertionError(failure);
        }
    }
}
