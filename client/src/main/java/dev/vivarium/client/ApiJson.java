package dev.vivarium.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;

/** JSON as a client reads it: unknown fields of newer nodes are ignored. */
public final class ApiJson {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .addModule(new Jdk8Module())
            .addModule(new JavaTimeModule())
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            .build();

    private ApiJson() {}

    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    public static JsonNode parse(byte[] json) throws JsonProcessingException {
        try {
            return MAPPER.readTree(json);
        } catch (JsonProcessingException malformed) {
            throw malformed;
        } catch (java.io.IOException impossible) {
            throw new IllegalStateException("Reading from an array cannot fail.", impossible);
        }
    }

    public static <T> T as(JsonNode json, Class<T> type) throws JsonProcessingException {
        return MAPPER.treeToValue(json, type);
    }

    /** Reads a value without a tree of its text in between. */
    public static <T> T read(String json, Class<T> type) throws JsonProcessingException {
        return MAPPER.readValue(json, type);
    }

    public static JsonNode tree(Object value) {
        return MAPPER.valueToTree(value);
    }

    public static byte[] bytes(JsonNode json) {
        try {
            return MAPPER.writeValueAsBytes(json);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("A tree can always be written.", impossible);
        }
    }

    /** One line of pure ASCII JSON, so that its content cannot control a terminal. */
    public static String line(JsonNode json) {
        return write(MAPPER.writer(), json);
    }

    /** Indented JSON in pure ASCII. */
    public static String pretty(JsonNode json) {
        return write(MAPPER.writerWithDefaultPrettyPrinter(), json);
    }

    private static String write(ObjectWriter writer, JsonNode json) {
        try {
            // DEL is the only ASCII control character that JSON does not escape.
            return writer.with(JsonWriteFeature.ESCAPE_NON_ASCII)
                    .writeValueAsString(json)
                    .replace("\u007f", "\\u007f");
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException("A tree can always be written.", impossible);
        }
    }
}
