package dev.vivarium.node.cli.quickstart;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.node.cli.client.Submission;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * One example of the catalogue.
 *
 * @param name what it is called
 * @param about what it does, in a few words
 * @param command what is run in the workspace
 * @param files the files that the workspace gets, from the folder of the examples
 * @param tenant whose it is
 * @param secrets the names of the secrets that it gets; the values are made up anew each time
 * @param limits those of its limits that differ from the defaults
 * @param expect what it must come to
 */
public record Agent(
        String name,
        String about,
        List<String> command,
        List<String> files,
        String tenant,
        List<String> secrets,
        Map<String, JsonNode> limits,
        Expectation expect) {
    public Agent {
        command = List.copyOf(command);
        files = List.copyOf(files);
        secrets = List.copyOf(secrets);
        limits = Map.copyOf(limits);
    }

    /**
     * The submission for this agent.
     *
     * @param folder where the examples are
     * @param secretValue what each of its secrets is set to
     */
    public Submission submission(Path folder, String image, String secretValue) throws IOException {
        Submission submission = new Submission(image, command)
                .egress("none")
                .label("tenant", tenant)
                .label("agent", name);
        for (String file : files) {
            submission.file(file, Files.readAllBytes(folder.resolve(file)));
        }
        secrets.forEach(secret -> submission.secret(secret, secretValue));
        limits.forEach((limit, quantity) -> {
            if (quantity.isNumber()) {
                submission.limit(limit, quantity.asLong());
            } else {
                submission.limit(limit, quantity.asText());
            }
        });
        return submission;
    }
}
