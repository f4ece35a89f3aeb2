package dev.vivarium.node.http.v1;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.vivarium.protocol.access.Quota;
import dev.vivarium.protocol.access.QuotaExcess;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.Digest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Contents of files that are uploaded separately. */
@Timeout(60)
class BlobRoutesTest {
    private static final String CONTENT = "0123456789".repeat(20_000);
    private static final String PATH = path(CONTENT);

    private final TestApi api =
            new TestApi("body-timeout = 2s, upload { max = 1MiB, at-once = 2, timeout = 10s, pause = 1s }");

    @AfterEach
    void close() {
        api.close();
    }

    private static String path(String content) {
        return "/v1/blobs/" + Digest.of(Blob.ofUtf8(content));
    }

    @Test
    void anUploadedContentExistsAndCanBeUploadedAgain() {
        assertThat(api.head(PATH).statusCode()).isEqualTo(404);

        HttpResponse<String> first = api.put(PATH, CONTENT);
        HttpResponse<String> again = api.put(PATH, CONTENT);

        assertThat(first.statusCode()).isEqualTo(201);
        assertThat(again.statusCode()).isEqualTo(200);
        assertThat(TestApi.json(first).path("size").asLong()).isEqualTo(CONTENT.length());
        assertThat(first.body()).isEqualTo(again.body());
        assertThat(api.head(PATH).statusCode()).isEqualTo(200);
    }

    @Test
    void aContentOverTheQuotaOfItsTenantIsRefusedUnlessItIsThereAlready() {
        assertThat(api.put(PATH, CONTENT).statusCode()).isEqualTo(201);
        assertThat(api.runs.reserved())
                .as("an upload that has ended reserves nothing")
                .isEmpty();
        api.runs.exceed(new QuotaExcess(Tenant.DEFAULT, Quota.KEPT, 8L << 20, 8L << 20, 5));

        HttpResponse<String> refused = api.put(path("other"), "other");

        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(TestApi.json(refused).path("overQuota").path("quota").asText())
                .isEqualTo("keptBytes");
        assertThat(api.head(path("other")).statusCode()).isEqualTo(404);
        assertThat(api.put(PATH, CONTENT).statusCode()).isEqualTo(200);
        api.runs.exceedNoMore();
        assertThat(api.put(path("other"), "other").statusCode()).isEqualTo(201);
    }

    @Test
    void anEmptyContentCanBeUploaded() {
        assertThat(api.put(path(""), "").statusCode()).isEqualTo(201);
        assertThat(api.head(path("")).statusCode()).isEqualTo(200);
    }

    @Test
    void contentsAreInvisibleToOtherTenants() {
        api.put(PATH + "?tenant=research", CONTENT);

        assertThat(api.head(PATH + "?tenant=research").statusCode()).isEqualTo(200);
        assertThat(api.head(PATH + "?tenant=other").statusCode()).isEqualTo(404);
        assertThat(api.head(PATH).statusCode()).isEqualTo(404);
    }

    @Test
    void aContentWithAWrongDigestIsNotStoredAndIsAnsweredWithItsDigest() {
        HttpResponse<String> answer = api.put(path("something else"), CONTENT);

        assertProblem(answer, 422, "digest-mismatch");
        assertThat(TestApi.json(answer).path("detail").asText())
                .contains(Digest.of(Blob.ofUtf8(CONTENT)).hex());
        assertThat(api.blobs.count()).isZero();
    }

    @Test
    void aTruncatedUploadLeavesNothingAndCanBeRepeated() {
        String answer = api.raw(head(CONTENT.length()) + CONTENT.substring(0, CONTENT.length() / 2));

        assertThat(answer).satisfiesAnyOf(text -> assertThat(text).isEmpty(), text -> assertThat(text)
                .startsWith("HTTP/1.1 400"));
        assertThat(api.blobs.count()).isZero();
        assertThat(api.put(PATH, CONTENT).statusCode()).isEqualTo(201);
    }

    @Test
    void aTooLargeContentIsRefusedWithAndWithoutALength() {
        String large = "x".repeat((1 << 20) + 1);

        HttpResponse<String> told = api.put(path(large), large);
        HttpResponse<String> untold = api.exchange(request(path(large))
                .PUT(BodyPublishers.fromPublisher(BodyPublishers.ofString(large)))
                .build());

        assertProblem(told, 413, "body-too-large");
        assertProblem(untold, 413, "body-too-large");
        assertThat(api.blobs.count()).isZero();
    }

    @Test
    void aStoreFailureDuringAnUploadLeavesNothingAndTheUploadCanBeRepeated() throws IOException {
        try (Socket socket = new Socket("localhost", api.port())) {
            // given: an upload that has begun
            socket.setSoTimeout(20_000);
            OutputStream out = socket.getOutputStream();
            out.write((head(CONTENT.length()) + CONTENT.substring(0, 1_000)).getBytes(StandardCharsets.US_ASCII));
            out.flush();
            await().until(() -> api.uploads() == 1);

            // when
            api.blobs.goAway();
            out.write(CONTENT.substring(1_000).getBytes(StandardCharsets.US_ASCII));
            out.flush();

            // then
            assertThat(status(socket.getInputStream())).isEqualTo("HTTP/1.1 503");
        }
        assertThat(api.blobs.count()).isZero();
        assertProblem(api.put(PATH, CONTENT), 503, "store-unavailable");
        api.blobs.comeBack();
        assertThat(api.put(PATH, CONTENT).statusCode()).isEqualTo(201);
    }

    @Test
    void concurrentUploadsOfTheSameContentBothSucceed() {
        List<CompletableFuture<Integer>> both = new ArrayList<>();
        for (int n = 0; n < 2; n++) {
            both.add(CompletableFuture.supplyAsync(() -> api.put(PATH, CONTENT).statusCode()));
        }

        assertThat(both).allSatisfy(answer -> assertThat(answer.join()).isIn(200, 201));
        assertThat(api.blobs.count()).isEqualTo(1);
    }

    @Test
    void anUploadThatStallsIsAbandonedAndItsSlotIsFree() throws IOException {
        try (Socket one = new Socket("localhost", api.port());
                Socket two = new Socket("localhost", api.port())) {
            // given: all slots are taken
            for (Socket socket : List.of(one, two)) {
                socket.setSoTimeout(20_000);
                socket.getOutputStream().write((head(1_000) + "x").getBytes(StandardCharsets.US_ASCII));
            }
            await().until(() -> api.uploads() == 2);
            assertProblem(api.put(PATH, CONTENT), 429, "node-full");

            // then
            assertThat(status(one.getInputStream())).isEqualTo("HTTP/1.1 408");
            assertThat(status(two.getInputStream())).isEqualTo("HTTP/1.1 408");
        }
        await().until(() -> api.uploads() == 0);
        assertThat(api.put(PATH, CONTENT).statusCode()).isEqualTo(201);
    }

    @Test
    void aSubmissionCanNameOnlyContentsOfItsTenant() {
        api.put(PATH, CONTENT);
        String body =
                "{\"image\": \"vivarium/python\", \"command\": [\"true\"], \"files\": {\"a\": {\"digest\": \"DIGEST\","
                        + " \"mode\": \"0755\"}}, \"labels\": {\"tenant\": \"TENANT\"}}";
        String mine = body.replace("DIGEST", PATH.substring(PATH.lastIndexOf('/') + 1));

        HttpResponse<String> accepted = api.post("/v1/runs", mine.replace("TENANT", "default"));
        HttpResponse<String> stranger = api.post("/v1/runs", mine.replace("TENANT", "other"));
        HttpResponse<String> unknown =
                api.post("/v1/runs", body.replace("DIGEST", "0".repeat(64)).replace("TENANT", "default"));

        assertThat(accepted.statusCode()).as(accepted.body()).isEqualTo(202);
        for (HttpResponse<String> refused : List.of(stranger, unknown)) {
            assertProblem(refused, 400, "invalid-run");
            assertThat(TestApi.json(refused)
                            .path("errors")
                            .path(0)
                            .path("field")
                            .asText())
                    .isEqualTo("files.a.digest");
            assertThat(refused.body()).contains("upload it first, with PUT /v1/blobs/");
        }
    }

    @Test
    void invalidDigestsAndTenantsAreRefused() {
        assertProblem(api.put("/v1/blobs/abc", "x"), 400, "invalid-digest");
        assertProblem(api.put(PATH + "?tenant=", CONTENT), 400, "invalid-query");
        assertProblem(api.put(PATH + "?owner=me", CONTENT), 400, "invalid-query");
        assertProblem(api.put(PATH, CONTENT, "Content-Encoding", "gzip"), 415, "unsupported-media-type");
        assertThat(api.blobs.count()).isZero();
    }

    private HttpRequest.Builder request(String path) {
        return api.request(path);
    }

    private String head(int length) {
        return "PUT " + PATH + " HTTP/1.1\r\n" + api.authorization() + "Host: localhost\r\nContent-Length: " + length
                + "\r\nConnection: close\r\n\r\n";
    }

    private static String status(InputStream in) throws IOException {
        return new String(in.readNBytes(12), StandardCharsets.US_ASCII);
    }

    private static void assertProblem(HttpResponse<String> answer, int status, String kind) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(TestApi.json(answer).path("type").asText()).endsWith("/" + kind);
    }
}
