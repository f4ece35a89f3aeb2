package dev.vivarium.node.http.server;

import com.google.common.net.InetAddresses;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.auth.Origin;
import java.net.InetAddress;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.RemoteAddress;

/**
 * A request with its context.
 *
 * @param request the request
 * @param known who sent it; empty for an operation that everyone may use
 * @param path the path parameters, decoded, by name
 * @param deadline when the answer is due
 */
public record Exchange(HttpRequest request, Optional<Identity> known, Map<String, String> path, Instant deadline) {
    /** Who sent it; for an operation that needs a permission. */
    public Identity caller() {
        return known.orElseThrow(() -> new IllegalStateException("The callers of this operation are not known."));
    }

    /** Where it came from, for the events that it causes. */
    public Origin origin() {
        return new Origin(caller().tenant(), caller().token(), from(request).map(Exchange::text));
    }

    /** In digits, without the name of an interface. */
    private static String text(InetAddress address) {
        String text = InetAddresses.toAddrString(address);
        int zone = text.indexOf('%');
        return zone < 0 ? text : text.substring(0, zone);
    }

    /** The address of its sender, or of the last proxy, if that is known. */
    static Optional<InetAddress> from(HttpRequest request) {
        return request.getAttribute(AttributeKeys.remoteAddress).flatMap(RemoteAddress::getAddress);
    }

    /** The value of one of the operation's path parameters. */
    public String parameter(String name) {
        String value = path.get(name);
        if (value == null) {
            throw new IllegalArgumentException("The path of this operation has no parameter " + name + ".");
        }
        return value;
    }
}
