package dev.vivarium.node.http.server;

import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaRange;
import org.apache.pekko.http.javadsl.model.MediaType;
import org.apache.pekko.http.javadsl.model.headers.Accept;

/** Chooses a representation by the request's {@code Accept} (RFC 9110, section 12.5.1). */
public final class Acceptable {
    private Acceptable() {}

    /** The client's preferred offer, the first among equals; empty when it accepts none. */
    public static Optional<MediaType> best(HttpRequest request, List<MediaType> offers) {
        List<MediaRange> ranges = StreamSupport.stream(request.getHeaders().spliterator(), false)
                .filter(Accept.class::isInstance)
                .flatMap(header ->
                        StreamSupport.stream(((Accept) header).getMediaRanges().spliterator(), false))
                .toList();
        if (ranges.isEmpty()) {
            return Optional.of(offers.get(0));
        }
        Optional<MediaType> best = Optional.empty();
        float bestQuality = 0;
        for (MediaType offer : offers) {
            float quality = quality(ranges, offer);
            if (quality > bestQuality) {
                best = Optional.of(offer);
                bestQuality = quality;
            }
        }
        return best;
    }

    /** The answer when the client accepts none of the offers. */
    public static HttpResponse refusal(List<MediaType> offers) {
        String names = String.join(", ", offers.stream().map(Object::toString).toList());
        return Answers.problem(ProblemType.NOT_ACCEPTABLE, "Accept one of: " + names + ".");
    }

    /** The quality of the most specific matching range. */
    private static float quality(List<MediaRange> ranges, MediaType offer) {
        float quality = 0;
        int mostSpecific = -1;
        for (MediaRange range : ranges) {
            if (range.matches(offer) && specificity(range) > mostSpecific) {
                mostSpecific = specificity(range);
                quality = range.qValue();
            }
        }
        return quality;
    }

    private static int specificity(MediaRange range) {
        if (range.mainType().equals("*")) {
            return 0;
        }
        return range.toString().startsWith(range.mainType() + "/*") ? 1 : 2;
    }
}
