package dev.vivarium.node.http.v1;

import com.atlassian.oai.validator.OpenApiInteractionValidator;
import com.atlassian.oai.validator.model.Request;
import com.atlassian.oai.validator.model.SimpleRequest;
import com.atlassian.oai.validator.model.SimpleResponse;
import com.atlassian.oai.validator.report.MessageResolver;
import com.atlassian.oai.validator.report.ValidationReport;
import com.atlassian.oai.validator.schema.SchemaValidator;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The contents of {@code openapi.yaml}, and checks of exchanges against them. */
final class OpenApiDocument {
    /** The document as it is served. */
    static final String TEXT = read();

    private static final OpenAPI API = parse();
    private static final OpenApiInteractionValidator VALIDATOR =
            OpenApiInteractionValidator.createForInlineApiSpecification(TEXT).build();
    private static final SchemaValidator SCHEMAS = new SchemaValidator(API, new MessageResolver());

    private OpenApiDocument() {}

    private static String read() {
        try (InputStream stream = OpenApiDocument.class.getResourceAsStream("/openapi.yaml")) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private static OpenAPI parse() {
        ParseOptions options = new ParseOptions();
        options.setResolve(true);
        options.setResolveFully(true);
        return new OpenAPIV3Parser().readContents(TEXT, List.of(), options).getOpenAPI();
    }

    /** Every operation: {@code GET /v1/runs/{id}}. */
    static Set<String> operations() {
        Set<String> operations = new TreeSet<>();
        forEachOperation((name, operation) -> operations.add(name));
        return operations;
    }

    /** Every response: {@code GET /v1/runs/{id} 200 application/json}. */
    static Set<String> answers() {
        Set<String> answers = new TreeSet<>();
        forEachOperation((name, operation) -> operation.getResponses().forEach((status, response) -> {
            if (response.getContent() == null) {
                answers.add(answer(name, status, "no body"));
            } else {
                response.getContent().keySet().forEach(type -> answers.add(answer(name, status, type)));
            }
        }));
        return answers;
    }

    /** Every parameter of a query or in a header: {@code GET /v1/runs limit}. */
    static Set<String> parameters() {
        Set<String> parameters = new TreeSet<>();
        forEachOperation((name, operation) -> parametersOf(operation)
                .filter(parameter -> !parameter.getIn().equals("path"))
                .forEach(parameter -> parameters.add(name + " " + parameter.getName())));
        return parameters;
    }

    private static Stream<Parameter> parametersOf(Operation operation) {
        return Optional.ofNullable(operation.getParameters()).stream().flatMap(List::stream);
    }

    private static void forEachOperation(BiConsumer<String, Operation> visitor) {
        API.getPaths().forEach((path, item) -> item.readOperationsMap()
                .forEach((method, operation) -> visitor.accept(method + " " + path, operation)));
    }

    /** A response in the notation of {@link #answers}. */
    static String answerOf(HttpRequest request, HttpResponse<?> response) {
        String type = response.headers()
                .firstValue("Content-Type")
                .map(value -> value.split(";", 2)[0].strip())
                .orElse("no body");
        return answer(operationOf(request), Integer.toString(response.statusCode()), type);
    }

    private static String answer(String operation, String status, String type) {
        return operation + " " + status + " " + type;
    }

    /** The parameters that a request uses, in the notation of {@link #parameters}. */
    static Set<String> parametersOf(HttpRequest request) {
        String operation = operationOf(request);
        String query = "&" + Optional.ofNullable(request.uri().getRawQuery()).orElse("");
        Set<String> used = new TreeSet<>();
        for (String parameter : parameters()) {
            String name = parameter.substring(parameter.lastIndexOf(' ') + 1);
            if (parameter.equals(operation + " " + name)
                    && (query.contains("&" + name + "=")
                            || request.headers().firstValue(name).isPresent())) {
                used.add(parameter);
            }
        }
        return used;
    }

    private static String operationOf(HttpRequest request) {
        return operations().stream()
                .filter(operation -> Pattern.matches(
                        operation.replaceAll("\\{[a-z]+}", "[^/]+"),
                        request.method() + " " + request.uri().getRawPath()))
                .findFirst()
                .orElseThrow(() -> new AssertionError(request + " is in no path of the document"));
    }

    /** Deviations of a response from the document. */
    static List<String> mistakes(HttpRequest request, HttpResponse<String> response) {
        SimpleResponse.Builder simple = SimpleResponse.Builder.status(response.statusCode());
        response.headers().map().forEach((name, values) -> simple.withHeader(name, values));
        if (!response.body().isEmpty()) {
            simple.withBody(response.body());
        }
        ValidationReport report = VALIDATOR.validateResponse(
                request.uri().getRawPath(), Request.Method.valueOf(request.method()), simple.build());
        // The validator treats an empty body as missing; responses to HEAD and the output of a run that has printed
        // nothing are empty.
        boolean mayBeEmpty = request.method().equals("HEAD")
                || response.headers()
                        .firstValue("Content-Type")
                        .filter("application/octet-stream"::equals)
                        .isPresent();
        List<String> mistakes = new ArrayList<>();
        for (ValidationReport.Message message : report.getMessages()) {
            if (!(mayBeEmpty && message.getKey().equals("validation.response.body.missing"))) {
                mistakes.add(message.toString());
            }
        }
        return mistakes;
    }

    /** Deviations of a request from the document. */
    static List<String> mistakes(HttpRequest request, String body) {
        SimpleRequest.Builder simple =
                new SimpleRequest.Builder(request.method(), request.uri().getRawPath());
        request.headers().map().forEach((name, values) -> simple.withHeader(name, values));
        if (request.uri().getQuery() != null) {
            for (String pair : request.uri().getQuery().split("&", -1)) {
                String[] parts = pair.split("=", 2);
                simple.withQueryParam(parts[0], parts[1]);
            }
        }
        return VALIDATOR
                .validateRequest(
                        body.isEmpty() ? simple.build() : simple.withBody(body).build())
                .getMessages()
                .stream()
                .map(ValidationReport.Message::toString)
                .toList();
    }

    /** Deviations of a part of a body from a schema of the document. */
    static List<String> mistakes(String schema, String json) {
        return SCHEMAS.validate(json, schema(schema), "body").getMessages().stream()
                .map(ValidationReport.Message::toString)
                .toList();
    }

    static Schema<?> schema(String name) {
        return API.getComponents().getSchemas().get(name);
    }
}
