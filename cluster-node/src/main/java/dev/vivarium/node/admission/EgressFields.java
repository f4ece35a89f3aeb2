package dev.vivarium.node.admission;

import dev.vivarium.node.network.ListedNames;
import dev.vivarium.node.network.PublicSuffixes;
import dev.vivarium.node.network.gateway.ListedDestinations;
import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.egress.HostName;
import dev.vivarium.protocol.egress.InjectedHeader;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The details of a submission's egress mode: the destinations of an allowlist, and injected headers. */
final class EgressFields {
    private static final Set<String> INJECTION = Set.of("host", "header", "secret", "prefix");

    private final Optional<Fields> asked;
    private final Findings findings;
    private final ListedDestinations reach;

    EgressFields(Optional<Fields> asked, Findings findings, ListedDestinations reach) {
        this.asked = asked;
        this.findings = findings;
        this.reach = reach;
    }

    EgressPolicy read(EgressPolicy.Mode mode, RequestedSecrets secrets) {
        List<String> destinations =
                asked.flatMap(egress -> egress.texts("allow")).orElse(List.of());
        List<Fields> headers = asked.map(egress -> egress.objects("inject", INJECTION, EgressPolicy.INJECTIONS_MAX))
                .orElse(List.of());
        List<EgressDestination> allow = destinations.stream()
                .flatMap(text -> destination(text).stream())
                .toList();
        List<InjectedHeader> inject = headers.stream()
                .flatMap(fields -> injection(fields, secrets).stream())
                .toList();
        if (mode != EgressPolicy.Mode.ALLOWLIST) {
            // Empty lists are these fields' defaults.
            requireEmpty("allow", destinations);
            requireEmpty("inject", headers);
            return new EgressPolicy(mode);
        }
        return policy("egress.allow", mode, allow, List.of())
                .flatMap(listing -> policy("egress.inject", mode, allow, inject))
                .map(this::checked)
                .orElse(new EgressPolicy(mode));
    }

    /** A wildcard may end before a host that it seems to cover. */
    private EgressPolicy checked(EgressPolicy policy) {
        policy.inject().stream()
                .map(InjectedHeader::host)
                .filter(host -> !ListedNames.contains(policy, host, InjectedHeader.PORT))
                .distinct()
                .forEach(host -> findings.add(
                        "egress.inject",
                        "adds a header to requests to " + host + ", which no wildcard covers, since anyone can register"
                                + " names beside it: add \"" + host + ":" + InjectedHeader.PORT
                                + "\" to egress.allow"));
        return policy;
    }

    private void requireEmpty(String field, List<?> values) {
        if (!values.isEmpty()) {
            findings.add("egress." + field, "is for mode allowlist only");
        }
    }

    private Optional<EgressPolicy> policy(
            String field, EgressPolicy.Mode mode, List<EgressDestination> allow, List<InjectedHeader> inject) {
        try {
            return Optional.of(new EgressPolicy(mode, allow, inject));
        } catch (IllegalArgumentException refused) {
            findings.add(field, String.valueOf(refused.getMessage()));
            return Optional.empty();
        }
    }

    private Optional<EgressDestination> destination(String text) {
        try {
            EgressDestination destination = EgressDestination.parse(text);
            Optional<String> refusal = destination instanceof EgressDestination.Subdomains below
                    ? tooWide(below.domain()).or(() -> reach.refusal(destination))
                    : reach.refusal(destination);
            refusal.ifPresent(why -> findings.add("egress.allow", "has an entry that " + why));
            return refusal.isPresent() ? Optional.empty() : Optional.of(destination);
        } catch (IllegalArgumentException noDestination) {
            findings.add("egress.allow", "has an entry that " + noDestination.getMessage());
            return Optional.empty();
        }
    }

    private static Optional<String> tooWide(HostName domain) {
        if (PublicSuffixes.contains(domain)) {
            return Optional.of("is too wide: anyone can register a name below " + domain
                    + ", so name the domain of the one that is meant, such as *.example." + domain);
        }
        return PublicSuffixes.areBelow(domain)
                ? Optional.of("is too wide: below each name that " + domain
                        + " has, anyone can register one, so name the host that is meant")
                : Optional.empty();
    }

    private Optional<InjectedHeader> injection(Fields fields, RequestedSecrets secrets) {
        Optional<HostName> host = fields.requiredText("host").flatMap(text -> host(fields, text));
        Optional<String> header = fields.requiredText("header");
        Optional<String> secret = fields.requiredText("secret");
        Optional<String> prefix = fields.has("prefix") ? fields.text("prefix") : Optional.of("");
        secret.ifPresent(name -> check(fields, name, secrets));
        if (host.isEmpty() || header.isEmpty() || secret.isEmpty() || prefix.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(new InjectedHeader(host.get(), header.get(), secret.get(), prefix.get()));
        } catch (IllegalArgumentException refused) {
            findings.add(fields.path(), String.valueOf(refused.getMessage()));
            return Optional.empty();
        }
    }

    private Optional<HostName> host(Fields fields, String text) {
        if (text.indexOf('*') >= 0) {
            findings.add(
                    fields.pathOf("host"),
                    "must be one host, without a wildcard: otherwise any host below the domain could receive the secret");
            return Optional.empty();
        }
        try {
            return Optional.of(HostName.parse(text));
        } catch (IllegalArgumentException noName) {
            findings.add(fields.pathOf("host"), String.valueOf(noName.getMessage()));
            return Optional.empty();
        }
    }

    /** Findings never quote a value. */
    private void check(Fields fields, String name, RequestedSecrets secrets) {
        if (secrets.named().containsKey(name)) {
            // Its value is looked at when an attempt gets it, whichever that is by then.
            return;
        }
        Secret secret = secrets.own().get(name);
        if (secret == null) {
            findings.add(
                    fields.pathOf("secret"),
                    "names no secret of this run: give it in secrets or in namedSecrets, under this name");
        } else if (!secret.fitsHeader()) {
            findings.add(
                    fields.pathOf("secret"),
                    "names a secret that no header can carry: its value must be 1 to " + InjectedHeader.VALUE_LENGTH_MAX
                            + " printable ASCII characters, without line ends and without blanks around it");
        }
    }
}
