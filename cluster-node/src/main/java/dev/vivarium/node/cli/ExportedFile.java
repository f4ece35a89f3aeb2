package dev.vivarium.node.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.vivarium.client.ApiJson;
import dev.vivarium.protocol.api.ExportLine;
import dev.vivarium.terminal.ExitCode;
import dev.vivarium.terminal.UserError;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a file has of an export of events.
 *
 * @param filter the conditions of the export, as its first line says them
 * @param from the first position
 * @param next the position to go on from
 * @param bytes the length of its whole lines
 * @param state whether it has the last line
 */
record ExportedFile(JsonNode filter, long from, long next, long bytes, State state) {
    /** How much it has. */
    enum State {
        CUT_OFF,
        WHOLE
    }

    /** Reads it; empty for a file that does not exist or has no whole line yet. */
    static Optional<ExportedFile> of(Path file) throws IOException {
        Optional<ExportedFile> found = Optional.empty();
        if (!Files.exists(file)) {
            return found;
        }
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            for (int next = in.read(); next >= 0; next = in.read()) {
                if (next != '\n') {
                    line.write(next);
                    continue;
                }
                found = Optional.of(with(file, found, line.toByteArray()));
                line.reset();
            }
            return found;
        }
    }

    private static ExportedFile with(Path file, Optional<ExportedFile> before, byte[] line) {
        JsonNode json;
        try {
            json = ApiJson.parse(line);
        } catch (JsonProcessingException malformed) {
            throw foreign(file);
        }
        String kind = json.path("line").asText();
        if (before.isEmpty()) {
            if (!kind.equals("begin") || !json.path("format").asText().equals(ExportLine.FORMAT)) {
                throw foreign(file);
            }
            long from = json.path("from").asLong();
            return new ExportedFile(json.path("filter"), from, from, line.length + 1L, State.CUT_OFF);
        }
        ExportedFile so = before.get();
        long next =
                switch (kind) {
                    case "missing" -> json.path("to").asLong();
                    case "event", "removed" -> json.path("position").asLong() + 1;
                    case "begin", "deletion", "end" -> so.next;
                    default -> throw foreign(file);
                };
        State state = kind.equals("end") ? State.WHOLE : State.CUT_OFF;
        return new ExportedFile(so.filter, so.from, next, so.bytes + line.length + 1, state);
    }

    private static UserError foreign(Path file) {
        return new UserError(ExitCode.USAGE, file + " is no export of events: name another file, or remove it.");
    }
}
