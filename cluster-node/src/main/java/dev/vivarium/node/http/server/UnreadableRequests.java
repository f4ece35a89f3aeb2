package dev.vivarium.node.http.server;

import java.util.List;
import org.apache.pekko.event.LoggingAdapter;
import org.apache.pekko.http.ParsingErrorHandler;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.scaladsl.model.ErrorInfo;
import org.apache.pekko.http.scaladsl.model.StatusCode;
import org.apache.pekko.http.scaladsl.settings.ServerSettings;

/** Answers requests too malformed to reach a route. Instantiated by Pekko HTTP, by class name. */
final class UnreadableRequests extends ParsingErrorHandler {
    @Override
    public HttpResponse handle(StatusCode status, ErrorInfo info, LoggingAdapter log, ServerSettings settings) {
        log.debug("Unreadable request: {}", info.summary());
        return StandardHeaders.on(
                Answers.problem(ProblemType.MALFORMED_REQUEST, status.intValue(), info.summary(), List.of()));
    }
}
