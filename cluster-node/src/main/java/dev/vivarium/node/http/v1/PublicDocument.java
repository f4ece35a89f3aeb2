package dev.vivarium.node.http.v1;

import com.google.common.base.Splitter;
import com.google.common.hash.Hashing;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.util.ByteString;

/**
 * A document that everyone may read: compressed once, and not sent again to those that have it (RFC 9110, sections 8.8.3 and
 * 13.1.2). Clients may keep it, and ask whether it has changed.
 */
final class PublicDocument {
    private static final Splitter LIST = Splitter.on(',').trimResults();
    /** The coding, unless its weight is 0. */
    private static final Pattern GZIP = Pattern.compile("(gzip|x-gzip|\\*)(\\s*;\\s*q=(?!0(\\.0*)?$).*)?");

    private final Form plain;
    private final Form zipped;

    private record Form(ContentType type, ByteString bytes, String tag, Optional<String> coding) {
        HttpResponse whole() {
            HttpResponse answer = common().withEntity(HttpEntities.create(type, bytes));
            return coding.map(name -> answer.addHeader(RawHeader.create("Content-Encoding", name)))
                    .orElse(answer);
        }

        HttpResponse notModified() {
            return common().withStatus(304);
        }

        private HttpResponse common() {
            return HttpResponse.create()
                    .addHeader(RawHeader.create("ETag", tag))
                    .addHeader(RawHeader.create("Vary", "Accept-Encoding"))
                    .addHeader(RawHeader.create("Cache-Control", "no-cache"));
        }
    }

    PublicDocument(ContentType type, ByteString bytes) {
        String digest = Hashing.sha256().hashBytes(bytes.toArray()).toString().substring(0, 32);
        this.plain = new Form(type, bytes, '"' + digest + '"', Optional.empty());
        this.zipped = new Form(type, zipped(bytes), '"' + digest + "-gzip\"", Optional.of("gzip"));
    }

    HttpResponse answer(HttpRequest request) {
        Form form = header(request, "Accept-Encoding")
                        .filter(PublicDocument::takesGzip)
                        .isPresent()
                ? zipped
                : plain;
        return header(request, "If-None-Match")
                        .filter(tags -> names(tags, form))
                        .isPresent()
                ? form.notModified()
                : form.whole();
    }

    private static Optional<String> header(HttpRequest request, String name) {
        return request.getHeader(name).map(HttpHeader::value);
    }

    private static boolean takesGzip(String codings) {
        return LIST.splitToStream(codings.toLowerCase(Locale.ROOT))
                .anyMatch(coding -> GZIP.matcher(coding).matches());
    }

    /** Compared weakly, as for all reads. */
    private static boolean names(String tags, Form form) {
        return LIST.splitToStream(tags)
                .anyMatch(tag -> tag.equals("*") || tag.equals(form.tag) || tag.equals("W/" + form.tag));
    }

    private static ByteString zipped(ByteString bytes) {
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream stream = new GZIPOutputStream(zipped)) {
            stream.write(bytes.toArray());
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return ByteString.fromArrayUnsafe(zipped.toByteArray());
    }
}
