package dev.vivarium.trials.agents;

import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.Submission;
import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * One agent of a trial.
 *
 * @param name its name
 * @param about what it does, in a few words
 * @param command the command to run in the workspace
 * @param files the files of the workspace, from the folder of its stage
 * @param tenant its tenant
 * @param secrets the names of its secrets; the values are generated for each trial
 * @param egress what it may reach
 * @param limits those of its limits that differ from the defaults
 * @param expect its expected result
 */
public record Agent(
        String name,
        String about,
        List<String> command,
        List<String> files,
        String tenant,
        List<String> secrets,
        EgressPolicy egress,
        Map<String, JsonNode> limits,
        Expectation expect) {
    public Agent {
        command = List.copyOf(command);
        files = List.copyOf(files);
        secrets = List.copyOf(secrets);
        limits = Map.copyOf(limits);
    }

    /** This agent with another expected result. */
    public Agent expecting(Expectation other) {
        return new Agent(name, about, command, files, tenant, secrets, egress, limits, other);
    }

    /** The submission for this agent on a stage. */
    public Submission submission(Stage stage) throws IOException {
        Submission submission = new Submission(stage.image(), command)
                .egress(
                        egress.mode().name().toLowerCase(Locale.ROOT),
                        egress.allow().stream().map(EgressDestination::text).toList())
                .label("tenant", tenant)
                .label("agent", name);
        egress.inject()
                .forEach(header -> submission.inject(Map.of(
                        "host", header.host().value(),
                        "header", header.header(),
                        "secret", header.secret(),
                        "prefix", header.prefix())));
        for (String file : files) {
            submission.file(file, Files.readAllBytes(stage.folder().resolve(file)));
        }
        stage.environment().forEach(submission::env);
        secrets.forEach(secret -> submission.secret(secret, stage.secretValue()));
        stage.isolation().ifPresent(isolation -> submission.with("isolation", isolation));
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
