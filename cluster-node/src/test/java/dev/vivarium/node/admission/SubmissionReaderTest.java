package dev.vivarium.node.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vivarium.node.admission.SubmissionReader.Reading;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.api.Problem.FieldError;
import dev.vivarium.protocol.auth.Tenant;
import dev.vivarium.protocol.egress.EgressDestination;
import dev.vivarium.protocol.egress.EgressPolicy;
import dev.vivarium.protocol.run.Blob;
import dev.vivarium.protocol.run.ByteSize;
import dev.vivarium.protocol.run.FileForm;
import dev.vivarium.protocol.run.FileMode;
import dev.vivarium.protocol.run.Isolation;
import dev.vivarium.protocol.run.Limit;
import dev.vivarium.protocol.run.Limits;
import dev.vivarium.protocol.run.NodeLossPolicy;
import dev.vivarium.protocol.run.RunSpec;
import dev.vivarium.protocol.run.SealedSecrets;
import dev.vivarium.protocol.run.TimeSpan;
import dev.vivarium.protocol.run.Warning;
import dev.vivarium.protocol.run.WarningSignal;
import dev.vivarium.protocol.run.Webhook;
import dev.vivarium.protocol.run.WebhookEvent;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SubmissionReaderTest {
    @Test
    void aCompleteBodyBecomesASubmission() {
        Submission submission = Samples.valid(Samples.FULL_BODY);

        assertThat(submission.image()).isEqualTo("vivarium/python");
        assertThat(submission.command()).containsExactly("python3", "-c", "print('hello')");
        assertThat(submission.env()).isEqualTo(Map.of("A", "1"));
        assertThat(submission.secrets()).isEqualTo(Map.of("OPENAI_API_KEY", new Secret("…")));
        assertThat(submission.workdir()).isEqualTo("/workspace");
        assertThat(submission.files())
                .isEqualTo(Map.of("agent.py", new RequestedFile.Inline(FileMode.PLAIN, Blob.ofUtf8("…"))));
        assertThat(submission.artifacts()).containsExactly("out/*.csv");
        assertThat(submission.limits())
                .isEqualTo(Limits.SMALLEST
                        .with(Limit.WALL_CLOCK, "5m")
                        .with(Limit.IDLE, "60s")
                        .with(Limit.CPU, "500m")
                        .with(Limit.CPU_TIME, "2m")
                        .with(Limit.MEMORY, "256Mi")
                        .with(Limit.PIDS, 128L)
                        .with(Limit.DISK, "512Mi")
                        .with(Limit.FILES, 20_000L)
                        .with(Limit.OUTPUT, "10Mi")
                        .with(Limit.OPEN_FILES, 1024L)
                        .with(Limit.ARTIFACTS, "8Mi")
                        .with(Limit.GRACE, "5s")
                        .with(Limit.SHARED_MEMORY, "128Mi")
                        .with(Limit.EGRESS_REQUESTS, 1000L)
                        .with(Limit.EGRESS_BYTES, "1Gi"));
        assertThat(submission.egress().mode()).isEqualTo(EgressPolicy.Mode.PUBLIC);
        assertThat(submission.isolation()).isEqualTo(Isolation.CONTAINER);
        assertThat(submission.onNodeLoss()).isEqualTo(NodeLossPolicy.RESTART);
        assertThat(submission.maxAttempts()).isEqualTo(3);
        assertThat(submission.labels()).isEqualTo(Map.of("team", "research", "tenant", "default"));
    }

    @Test
    void aWebhookIsCalledForAllEventsUnlessSomeAreNamed() {
        assertThat(webhook("'webhook': {'url': 'https://hooks.example.com/a'}"))
                .contains(new Webhook("https://hooks.example.com/a", Webhook.ALL_EVENTS));
        assertThat(webhook("'webhook': {'url': 'https://hooks.example.com/a', 'events': ['ended', 'started']}"))
                .contains(
                        new Webhook("https://hooks.example.com/a", List.of(WebhookEvent.STARTED, WebhookEvent.ENDED)));
        assertThat(webhook("'webhook': null")).isEmpty();
        assertThat(webhook("'labels': {}")).isEmpty();
    }

    @Test
    void aSubmissionWithoutAWebhookHasThatOfItsTenantUnlessItSaysNone() {
        assertThat(webhook("'labels': {'tenant': 'called'}")).contains(Samples.OF_TENANT);
        assertThat(webhook("'webhook': null, 'labels': {'tenant': 'called'}")).isEmpty();
        assertThat(webhook("'webhook': {'url': 'https://hooks.example.com/a'}, 'labels': {'tenant': 'called'}")
                        .map(Webhook::url))
                .contains("https://hooks.example.com/a");
        assertThat(webhook("'labels': {'tenant': 'keyless'}"))
                .as("without a key there is nothing to sign with")
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'webhook': {'url': 'https://hooks.example.com/'}, 'labels': {'tenant': 'keyless'} | webhook | vivarium webhooks key keyless",
                "'webhook': {} | webhook.url | is required",
                "'webhook': 'https://hooks.example.com/' | webhook | must be an object",
                "'webhook': {'url': 7} | webhook.url | must be a string",
                "'webhook': {'url': 'ftp://hooks.example.com/'} | webhook.url | must begin with https://",
                "'webhook': {'url': 'http://169.254.169.254/'} | webhook.url | an address inside",
                "'webhook': {'url': 'http://metadata.google.internal/'} | webhook.url | a host for private use",
                "'webhook': {'url': 'https://hooks.example.com/', 'events': []} | webhook.events | must be some of started",
                "'webhook': {'url': 'https://hooks.example.com/', 'events': ['died']} | webhook.events | must be some of started",
                "'webhook': {'url': 'https://hooks.example.com/', 'event': ['ended']} | webhook.event | did you mean 'events'?",
            })
    void aWebhookThatCannotBeCalledIsRefused(String fields, String field, String sentence) {
        Reading reading = Samples.read(overlaid(fields.replace('\'', '"')));

        assertThat(((Reading.Invalid) reading).errors()).anySatisfy(error -> {
            assertThat(error.field()).isEqualTo(field);
            assertThat(error.message()).contains(sentence);
        });
    }

    private static Optional<Webhook> webhook(String fields) {
        return Samples.valid(overlaid(fields.replace('\'', '"'))).webhook();
    }

    @Test
    void aBodyWithImageAndCommandGetsEveryDefault() {
        Submission submission = Samples.valid(Samples.SMALL_BODY);

        assertThat(submission.workdir()).isEqualTo("/workspace");
        assertThat(submission.limits().get(Limit.MEMORY)).isEqualTo(ByteSize.parse("256Mi"));
        assertThat(submission.egress().mode()).isEqualTo(EgressPolicy.Mode.PUBLIC);
        assertThat(submission.maxAttempts()).isEqualTo(3);
        assertThat(submission.tenant()).isEqualTo(Tenant.DEFAULT);
    }

    @Test
    void aSubmissionTooLargeForAMessageBetweenNodesIsRefusedByItsLargestField() {
        String folder = ("x".repeat(250) + "/").repeat(3);
        String files = IntStream.range(0, 1_000)
                .mapToObj(n -> "\"" + folder + n + "\": \"\"")
                .collect(Collectors.joining(", "));
        String large = "\"env\": {\"A\": \"" + "a".repeat(100_000) + "\", \"B\": \"" + "b".repeat(100_000) + "\"}, ";

        // when: each field is within its limit, but not all of them together
        Reading reading = Samples.read(
                "{\"image\": \"vivarium/python\", \"command\": [\"true\"], " + large + "\"files\": {" + files + "}}");

        // then
        List<FieldError> errors = ((Reading.Invalid) reading).errors();
        assertThat(errors).singleElement().satisfies(error -> {
            assertThat(error.field()).isEqualTo("files");
            assertThat(error.message()).contains("at most 1048576", "archive");
        });
    }

    /** Each line: a field with its value in an otherwise valid body, the reported field, and a part of the reason. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            "colour": "red"                          | colour                      | unknown field
            "Egress": {"mode": "none"}               | Egress                      | did you mean 'egress'
            "max_attempts": 2                        | max_attempts                | did you mean 'maxAttempts'
            "limits": {"memoryy": "1Mi"}             | limits.memoryy              | did you mean 'memory'
            "egress": {"mode": "none", "hosts": []}  | egress.hosts                | unknown field
            "image": 7                               | image                       | must be a string, not a number
            "image": ""                              | image                       | image reference
            "image": "Vivarium/Python"               | image                       | lower case
            "image": "a b"                           | image                       | image reference
            "image": "-x"                            | image                       | image reference
            "image": "x:"                            | image                       | image reference
            "image": "x@sha512:0123456789abcdef0123456789abcdef" | image               | digest is sha256
            "image": null                            | image                       | must not be null
            "command": "python3"                     | command                     | must be a list of strings, not a string
            "command": []                            | command                     | at least the program
            "command": [""]                          | command                     | at least the program
            "command": ["a", 1, null]                | command[1]                  | must be a string, not a number
            "command": ["a", 1, null]                | command[2]                  | must be a string, not null
            "command": ["a", "b\\u0000"]             | command[1]                  | NUL
            "env": ["A=1"]                           | env                         | must be an object, not a list
            "env": {"A": 1}                          | env.A                       | must be a string, not a number
            "env": {"A=B": "1"}                      | env["A=B"]                  | '='
            "env": {"": "1"}                         | env[""]                     | must not be empty
            "env": {"A\\u0000": "1"}                 | env["A\\u0000"]             | NUL
            "env": {"A": "\\u0000"}                  | env.A                       | NUL
            "secrets": {"K": true}                   | secrets.K                   | must be a string, not true or false
            "secrets": {"=": "x"}                    | secrets["="]                | '='
            "env": {"K": "1"}, "secrets": {"K": "2"} | secrets.K                   | env too
            "workdir": "work"                        | workdir                     | absolute
            "workdir": "/a\\u0000"                   | workdir                     | NUL
            "files": "agent.py"                      | files                       | must be an object
            "files": {"../a": ""}                    | files["../a"]               | '..'
            "files": {"a/../../b": ""}               | files["a/../../b"]          | '..'
            "files": {"./a": ""}                     | files["./a"]                | '.'
            "files": {"a//b": ""}                    | files["a//b"]               | empty parts
            "files": {"a/": ""}                      | files["a/"]                 | empty parts
            "files": {"/etc/passwd": ""}             | files["/etc/passwd"]        | below /workspace or /tmp
            "files": {"/workspace": ""}              | files["/workspace"]         | below /workspace or /tmp
            "files": {"/workspacex/a": ""}           | files["/workspacex/a"]      | below /workspace or /tmp
            "files": {"a\\u0000b": ""}               | files["a\\u0000b"]          | NUL
            "files": {"": ""}                        | files[""]                   | empty
            "files": {"a": 1}                        | files.a                     | text of the file
            "files": {"a": {"base64": "%%%"}}        | files.a.base64              | not valid base64
            "files": {"a": {"base64": "", "x": 1}}   | files.a                     | text of the file
            "files": {"a": {"base64": "", "mode": 493}} | files.a                  | text of the file
            "files": {"a": {"base64": "", "mode": "755"}} | files.a.mode           | such as 0755
            "files": {"a": {"base64": "", "mode": "4755"}} | files.a.mode          | from 0000 to 0777
            "files": {"a": {"base64": "", "mode": "0888"}} | files.a.mode          | in octal
            "files": {"a": {"digest": "abc"}}        | files.a.digest              | 64 lower-case hexadecimal
            "files": {"a": {"base64": "", "digest": ""}} | files.a                 | text of the file
            "files": {"a": {"mode": "0644"}}         | files.a                     | text of the file
            "files": {"a": {"base64": "", "form": "archive"}} | files.a            | text of the file
            "files": {"a": {"digest": "abc", "form": "archive"}} | files.a.digest  | 64 lower-case hexadecimal
            "files": {"a": {"digest": "abc", "form": "zip"}} | files.a.form        | file or archive
            "files": {"a": {"digest": "abc", "form": "archive", "mode": "0644"}} | files.a.mode | left out
            "files": {".": {"digest": "abc"}}        | files["."]                  | '.'
            "artifacts": "out"                       | artifacts                   | list of strings
            "artifacts": ["out", "/etc/passwd"]      | artifacts[1]                | relative to the workspace
            "artifacts": ["../x"]                    | artifacts[0]                | relative to the workspace
            "artifacts": [""]                        | artifacts[0]                | relative to the workspace
            "artifacts": ["a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a", "a"] | artifacts | at most 32
            "files": {"a": "", "/workspace/a": ""}   | files["/workspace/a"]       | same file as 'a'
            "files": {"a": "", "a/b": ""}            | files["a/b"]                | for a directory
            "files": {"a/b": "", "a": ""}            | files.a                     | for a directory
            "files": {"a": "12345"}, "limits": {"disk": "4Ki"}, "labels": 1 | labels | must be an object
            "limits": []                             | limits                      | must be an object, not a list
            "limits": {"wallClock": "0s"}            | limits.wallClock            | at least 1ms
            "limits": {"wallClock": 300}             | limits.wallClock            | must be a string, not a number
            "limits": {"wallClock": "5 minutes"}     | limits.wallClock            | such as 5m
            "limits": {"wallClock": "-5m"}           | limits.wallClock            | such as 5m
            "limits": {"wallClock": "25h"}           | limits.wallClock            | at most 24h, the ceiling
            "limits": {"idle": "999999h"}            | limits.idle                 | at most 24h
            "limits": {"cpu": "0"}                   | limits.cpu                  | at least 10m
            "limits": {"cpu": 0}                     | limits.cpu                  | at least 10m
            "limits": {"cpu": "many"}                | limits.cpu                  | such as 500m
            "limits": {"cpu": 1e400000000}           | limits.cpu                  | such as 500m
            "limits": {"cpu": 4.5}                   | limits.cpu                  | at most 4, the ceiling
            "limits": {"cpuTime": "0ms"}             | limits.cpuTime              | at least 1ms
            "limits": {"memory": "0"}                | limits.memory               | at least 6Mi
            "limits": {"memory": "1Mi"}              | limits.memory               | at least 6Mi
            "limits": {"memory": "5Gi"}              | limits.memory               | at most 4Gi, the ceiling
            "limits": {"memory": "256MB"}            | limits.memory               | such as 256Mi
            "limits": {"memory": -1}                 | limits.memory               | such as 256Mi
            "limits": {"memory": "999999999999999Ti"} | limits.memory              | larger than any machine
            "limits": {"memory": {}}                 | limits.memory               | must be a string or a number, not an object
            "limits": {"memory": null}               | limits.memory               | must not be null
            "limits": {"memory": []}                 | limits.memory               | a list: a size such as 256Mi
            "limits": {"wallClock": 5}               | limits.wallClock            | a number: a time such as 5m
            "limits": {"pids": "many"}               | limits.pids                 | a string: a count such as 128
            "limits": {"pids": 0}                    | limits.pids                 | at least 1
            "limits": {"pids": -3}                   | limits.pids                 | at least 1
            "limits": {"pids": 1.5}                  | limits.pids                 | whole number
            "limits": {"pids": "128"}                | limits.pids                 | whole number
            "limits": {"pids": 99999999999999999999} | limits.pids                 | at most 4096
            "limits": {"disk": "0Gi"}                | limits.disk                 | at least 4Ki
            "limits": {"output": "0"}                | limits.output               | at least 1
            "limits": {"egressRequests": 0}          | limits.egressRequests       | at least 1
            "limits": {"egressBytes": "2Ti"}         | limits.egressBytes          | must be at most 1024Gi, the ceiling
            "egress": "none"                         | egress                      | must be an object
            "egress": {}                             | egress.mode                 | is required
            "egress": {"mode": "allowlist"}          | egress.mode                 | allowlist is not available on this node; it offers none and public
            "egress": {"mode": "NONE"}               | egress.mode                 | must be one of allowlist, none, public
            "isolation": "gvisor"                    | isolation                   | gvisor is not available on this node; it offers container
            "isolation": "chroot"                    | isolation                   | must be one of container, gvisor, microvm
            "onNodeLoss": "retry"                    | onNodeLoss                  | must be one of fail, restart
            "maxAttempts": 0                         | maxAttempts                 | from 1 to 10
            "maxAttempts": 11                        | maxAttempts                 | from 1 to 10
            "maxAttempts": "3"                       | maxAttempts                 | whole number
            "warning": "30s"                         | warning                     | must be an object, not a string
            "warning": {}                            | warning.before              | is required
            "warning": {"before": 30}                | warning.before              | must be a string, not a number: a time
            "warning": {"before": "-1s"}             | warning.before              | must be a time
            "warning": {"before": "0s"}              | warning.before              | must be at least 1ms and less than 5m
            "warning": {"before": "5m"}              | warning.before              | must be at least 1ms and less than 5m
            "warning": {"before": "30s", "signal": "SIGKILL"} | warning.signal     | must be one of SIGHUP, SIGINT, SIGTERM, SIGURG, SIGUSR1, SIGUSR2, SIGWINCH
            "warning": {"before": "30s", "signal": "SIGSTOP"} | warning.signal     | must be one of
            "warning": {"before": "30s", "signal": 10}        | warning.signal     | must be a string
            "warning": {"before": "30s", "every": "1s"}       | warning.every      | unknown field
            "labels": {"-a": "x"}                    | labels.-a                   | label's key
            "labels": {"a=b": "x"}                   | labels["a=b"]               | label's key
            "labels": {"a": 1}                       | labels.a                    | must be a string
            "labels": {"a": "x\\ny"}                 | labels.a                    | label's value
            "labels": {"tenant": ""}                 | labels.tenant               | must not be empty
            """)
    void anInvalidFieldIsNamedWithItsRequirement(String field, String path, String why) {
        Reading reading = Samples.read(overlaid(field));

        assertThat(reading).isInstanceOf(Reading.Invalid.class);
        assertThat(((Reading.Invalid) reading).errors()).anySatisfy(error -> {
            assertThat(error.field()).isEqualTo(path);
            assertThat(error.message()).contains(why);
        });
    }

    @Test
    void anAllowlistIsParsedIntoDestinations() {
        Reading reading = networked(
                EgressPolicy.Mode.PUBLIC,
                "{'mode': 'allowlist', 'allow': ['API.example.com', '*.example.org:8443', '203.0.114.0/24:5432']}");

        assertThat(((Reading.Valid) reading).submission().egress().allow())
                .extracting(EgressDestination::text)
                .containsExactly("api.example.com:80,443", "*.example.org:8443", "203.0.114.0/24:5432");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'mode': 'allowlist', 'allow': ['http://a.example']}   | egress.allow    | must be a host and not a"
                        + " URL",
                "{'mode': 'allowlist', 'allow': ['0177.0.0.1']}         | egress.allow    | has an entry that",
                "{'mode': 'allowlist', 'allow': ['a.example:0']}        | egress.allow    | has an entry that",
                "{'mode': 'allowlist', 'allow': ['*.co.uk']}            | egress.allow    | such as *.example.co.uk",
                "{'mode': 'allowlist', 'allow': ['*.GitHub.io:443']}    | egress.allow    | anyone can register a name",
                "{'mode': 'allowlist', 'allow': ['*.kawasaki.jp']}      | egress.allow    | name the host that is meant",
                "{'mode': 'allowlist', 'allow': ['*.compute.amazonaws.com']} | egress.allow | name the host that is meant",
                "{'mode': 'allowlist', 'allow': ['127.0.0.1']}          | egress.allow    | no sandbox reaches, since"
                        + " 127.0.0.1 is inside",
                "{'mode': 'allowlist', 'allow': ['10.0.0.0/8:443']}     | egress.allow    | internal-destinations",
                "{'mode': 'allowlist', 'allow': ['10.1.0.0/16']}        | egress.allow    | no sandbox reaches",
                "{'mode': 'allowlist', 'allow': ['169.254.169.254:80']} | egress.allow    | no sandbox reaches",
                "{'mode': 'allowlist', 'allow': ['168.63.129.16']}      | egress.allow    | no sandbox reaches",
                "{'mode': 'allowlist', 'allow': ['5.6.7.8']}            | egress.allow    | no sandbox reaches",
                "{'mode': 'allowlist', 'allow': ['0.0.0.0/0']}          | egress.allow    | use mode public",
                "{'mode': 'allowlist', 'allow': ['192.0.0.0/8']}        | egress.allow    | holds 192.0.0.0/24, which is"
                        + " inside",
                "{'mode': 'allowlist', 'allow': ['metadata.google.internal']} | egress.allow | is not on the internet",
                "{'mode': 'allowlist', 'allow': ['*.svc.cluster.local']} | egress.allow   | is not on the internet",
                "{'mode': 'allowlist', 'allow': ['1.0.0.127.in-addr.arpa']} | egress.allow | is not on the internet",
                "{'mode': 'allowlist', 'allow': 'a.example'}            | egress.allow    | must be",
                "{'mode': 'allowlist', 'allow': [7]}                    | egress.allow[0] | must be a string",
                "{'mode': 'public', 'allow': ['a.example']}             | egress.allow    | is for mode allowlist only",
            })
    void invalidEntriesOfAnAllowlistAreNamed(String egress, String field, String why) {
        assertThat(((Reading.Invalid) networked(EgressPolicy.Mode.PUBLIC, egress)).errors())
                .anySatisfy(error -> {
                    assertThat(error.field()).isEqualTo(field);
                    assertThat(error.message()).contains(why);
                });
    }

    @Test
    void internalAddressesThatTheOperatorOpensMayBeListed() {
        assertThat(networked(
                        EgressPolicy.Mode.PUBLIC, "{'mode': 'allowlist', 'allow': ['10.1.2.0/24:5432', '10.1.2.7']}"))
                .isInstanceOf(Reading.Valid.class);
    }

    @Test
    void aSecretIsAddedForNoHostThatAWildcardDoesNotReach() {
        String body = "{'image': 'a', 'command': ['true'], 'secrets': {'KEY': 'k-e-y'}, 'egress': {'mode': 'allowlist',"
                + " 'allow': [%s], 'inject': [{'host': 'ours.s3.amazonaws.com', 'header': 'A', 'secret': 'KEY'}]}}";

        assertThat(((Reading.Invalid) read(body.formatted("'*.amazonaws.com'"))).errors())
                .singleElement()
                .satisfies(error -> assertThat(error.message()).contains("add \"ours.s3.amazonaws.com:443\""));
        assertThat(read(body.formatted("'*.amazonaws.com', 'ours.s3.amazonaws.com:443'")))
                .isInstanceOf(Reading.Valid.class);
    }

    private static Reading read(String body) {
        return Samples.networked(EgressPolicy.Mode.PUBLIC).read(utf8(body.replace('\'', '"')), Identity.LOCAL_OPERATOR);
    }

    @Test
    void theOperatorsCeilingOfEgressIsEnforced() {
        assertThat(((Reading.Invalid) networked(EgressPolicy.Mode.ALLOWLIST, "{'mode': 'public'}")).errors())
                .containsExactly(new FieldError(
                        "egress.mode", "must be at most allowlist, the ceiling that this node's operator set"));
        assertThat(networked(EgressPolicy.Mode.ALLOWLIST, "{'mode': 'allowlist', 'allow': []}"))
                .isInstanceOf(Reading.Valid.class);
    }

    @Test
    void withoutAModeTheCeilingAppliesIfItIsNarrowerThanTheDefault() {
        Reading reading =
                Samples.networked(EgressPolicy.Mode.NONE).read(utf8(Samples.SMALL_BODY), Identity.LOCAL_OPERATOR);

        assertThat(((Reading.Valid) reading).submission().egress().mode()).isEqualTo(EgressPolicy.Mode.NONE);
    }

    @Test
    void aNodeWithoutNetworkRefusesTheDefaultWithTheReasonAndARemedy() {
        assertThat(((Reading.Invalid) Samples.withoutNetwork().read(utf8(Samples.SMALL_BODY), Identity.LOCAL_OPERATOR))
                        .errors())
                .containsExactly(new FieldError(
                        "egress.mode",
                        "public, the default, is not available on this node; it offers none; a run that needs"
                                + " no network asks for \"egress\": {\"mode\": \"none\"} (--egress none). The"
                                + " program nft is missing."));
        assertThat(Samples.withoutNetwork()
                        .read(utf8(overlaid("\"egress\": {\"mode\": \"none\"}")), Identity.LOCAL_OPERATOR))
                .isInstanceOf(Reading.Valid.class);
    }

    @Test
    void injectedHeadersAreReadWithTheNamesOfTheirSecrets() {
        Reading reading = injecting("{'host': 'API.example.com', 'header': 'X-Api-Key', 'secret': 'KEY'}");

        assertThat(reading).isInstanceOf(Reading.Valid.class);
        EgressPolicy policy = ((Reading.Valid) reading).submission().egress();
        assertThat(policy.inject()).hasSize(1);
        assertThat(policy.inject().get(0).host().value()).isEqualTo("api.example.com");
        assertThat(policy.inject().get(0).header()).isEqualTo("x-api-key");
        assertThat(policy.inject().get(0).prefix()).isEmpty();
        assertThat(policy.injectedSecrets()).containsExactly("KEY");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'header': 'A', 'secret': 'KEY'}                               | egress.inject[0].host   | is"
                        + " required",
                "{'host': 'api.example.com', 'secret': 'KEY'}                   | egress.inject[0].header | is"
                        + " required",
                "{'host': 'api.example.com', 'header': 'A'}                     | egress.inject[0].secret | is"
                        + " required",
                "{'host': '*.example.com', 'header': 'A', 'secret': 'KEY'}      | egress.inject[0].host   | without a"
                        + " wildcard",
                "{'host': '1.2.3.4', 'header': 'A', 'secret': 'KEY'}            | egress.inject[0].host   | must be a"
                        + " host's name",
                "{'host': 'other.example.com', 'header': 'A', 'secret': 'KEY'}  | egress.inject           | is not"
                        + " listed",
                "{'host': 'plain.example.com', 'header': 'A', 'secret': 'KEY'}  | egress.inject           | is not"
                        + " listed",
                "{'host': 'api.example.com', 'header': 'A', 'secret': 'NONE'}   | egress.inject[0].secret | names no"
                        + " secret",
                "{'host': 'api.example.com', 'header': 'A', 'secret': 'LINES'}  | egress.inject[0].secret | no header"
                        + " can carry",
                "{'host': 'api.example.com', 'header': 'A', 'secret': 'EMPTY'}  | egress.inject[0].secret | no header"
                        + " can carry",
                "{'host': 'api.example.com', 'header': 'A', 'secret': 'BLANK'}  | egress.inject[0].secret | no header"
                        + " can carry",
                "{'host': 'api.example.com', 'header': 'Host', 'secret': 'KEY'} | egress.inject[0]        | controls"
                        + " the connection",
                "{'host': 'api.example.com', 'header': 'content_LENGTH', 'secret': 'KEY'} | egress.inject[0] | controls"
                        + " the connection",
                "{'host': 'api.example.com', 'header': 'Proxy-Auth', 'secret': 'KEY'}     | egress.inject[0] | controls"
                        + " the connection",
                "{'host': 'api.example.com', 'header': 'A B', 'secret': 'KEY'}  | egress.inject[0]        | must name"
                        + " a header",
                "{'host': 'api.example.com', 'header': '', 'secret': 'KEY'}     | egress.inject[0]        | must name"
                        + " a header",
                "{'host': 'api.example.com', 'header': 'A', 'secret': 'KEY', 'prefix': 'a\\r"
                        + "\\n"
                        + "b'} | egress.inject[0] | printable",
                "{'host': 'api.example.com', 'header': 'A', 'secret': 'KEY', 'prefix': 7}  | egress.inject[0].prefix |"
                        + " must be a string",
                "{'host': 'api.example.com', 'header': 'A', 'secret': 'KEY', 'value': 'x'} | egress.inject[0].value |"
                        + " unknown field",
                "{'host': 'api.example.com', 'header': 'A', 'secret': 'KEY'}, {'host': 'api.example.com', 'header':"
                        + " 'a', 'secret': 'KEY'} | egress.inject | twice",
                "7                                                              | egress.inject[0]        | must be an"
                        + " object"
            })
    void invalidInjectedHeadersAreNamedByTheirField(String inject, String field, String why) {
        Reading reading = injecting(inject);

        assertThat(reading).isInstanceOf(Reading.Invalid.class);
        assertThat(((Reading.Invalid) reading).errors())
                .anySatisfy(error -> {
                    assertThat(error.field()).isEqualTo(field);
                    assertThat(error.message()).contains(why);
                })
                .noneMatch(error -> error.message().contains("k-e-y"));
    }

    @Test
    void injectedHeadersAreForAllowlistsOnlyAndLimitedInNumber() {
        String one = "{'host': 'api.example.com', 'header': 'A', 'secret': 'KEY'}";
        assertThat(((Reading.Invalid) networked(
                                EgressPolicy.Mode.PUBLIC, "{'mode': 'public', 'inject': [%s]}".formatted(one)))
                        .errors())
                .contains(new FieldError("egress.inject", "is for mode allowlist only"));
        assertThat(((Reading.Invalid) injecting(String.join(", ", Collections.nCopies(17, one)))).errors())
                .contains(new FieldError("egress.inject", "has 17 entries; at most 16 can be given"));
        assertThat(((Reading.Invalid) networked(EgressPolicy.Mode.PUBLIC, "{'mode': 'allowlist', 'inject': {}}"))
                        .errors())
                .contains(new FieldError("egress.inject", "must be a list of objects, not an object"));
    }

    private static Reading injecting(String inject) {
        String body =
                "{'image': 'a', 'command': ['true'], 'secrets': {'KEY': 'k-e-y', 'LINES': 'k-e-y\\n', 'EMPTY': '',"
                        + " 'BLANK': ' k-e-y'}, 'egress': {'mode': 'allowlist', 'allow': ['api.example.com',"
                        + " 'plain.example.com:80'], 'inject': [" + inject + "]}}";
        return Samples.networked(EgressPolicy.Mode.PUBLIC).read(utf8(body.replace('\'', '"')), Identity.LOCAL_OPERATOR);
    }

    private static Reading networked(EgressPolicy.Mode ceiling, String egress) {
        String body = "{'image': 'a', 'command': ['true'], 'egress': " + egress + "}";
        return Samples.networked(ceiling)
                .read(body.replace('\'', '"').getBytes(StandardCharsets.UTF_8), Identity.LOCAL_OPERATOR);
    }

    @Test
    void aWarningHasADefaultSignalAndCountsForWhetherASubmissionIsTheSame() {
        String body = "{\"image\": \"i\", \"command\": [\"true\"], \"limits\": {\"wallClock\": \"1m\"},"
                + " \"warning\": {\"before\": \"59s\"%s}}";

        Submission warned = ((Reading.Valid) Samples.read(body.formatted(""))).submission();
        Submission other = ((Reading.Valid) Samples.read(body.formatted(", \"signal\": \"SIGURG\""))).submission();
        RunSpec spec = warned.spec(SealedSecrets.NONE, Map.of());

        assertThat(spec.warning()).contains(new Warning(TimeSpan.parse("59s"), WarningSignal.SIGUSR1));
        assertThat(warned.asksFor(spec)).isTrue();
        assertThat(other.asksFor(spec)).isFalse();
    }

    @Test
    void noWarningMayBeSpelledOutAsTheApiShowsIt() {
        String body = "{\"image\": \"i\", \"command\": [\"true\"]%s}";

        Submission without = ((Reading.Valid) Samples.read(body.formatted(""))).submission();
        Submission spelledOut = ((Reading.Valid) Samples.read(body.formatted(", \"warning\": null"))).submission();

        assertThat(spelledOut.asksFor(without.spec(SealedSecrets.NONE, Map.of())))
                .isTrue();
    }

    @Test
    void allInvalidFieldsAreNamedInOneAnswer() {
        Reading reading = Samples.read(
                """
                {"image": "UPPER", "comand": ["x"], "limits": {"memory": "lots", "pids": 0, "cpu": "9"},
                 "egress": {"mode": "allowlist"}, "maxAttempts": 99}
                """);

        assertThat(((Reading.Invalid) reading).errors())
                .extracting(FieldError::field)
                .containsExactlyInAnyOrder(
                        "comand",
                        "image",
                        "command",
                        "limits.memory",
                        "limits.pids",
                        "limits.cpu",
                        "egress.mode",
                        "maxAttempts");
    }

    @Test
    void aMissingCommandIsRefusedSinceSessionsAreNotAvailable() {
        Reading reading = Samples.read("{\"image\": \"a\"}");

        assertThat(((Reading.Invalid) reading).errors()).singleElement().satisfies(error -> assertThat(error.message())
                .contains("sessions are not available yet"));
    }

    @Test
    void gvisorIsAcceptedWhereTheNodeOffersIt() {
        Reading reading = Samples.reader(Isolation.CONTAINER, Isolation.GVISOR)
                .read(utf8(overlaid("\"isolation\": \"gvisor\"")), Identity.LOCAL_OPERATOR);

        assertThat(((Reading.Valid) reading).submission().isolation()).isEqualTo(Isolation.GVISOR);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vivarium/python",
                "python",
                "python:3.12-slim",
                "registry.example:5000/team/agent_x:V1",
                "localhost/a",
                "a__b/c--d",
                "x@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
            })
    void everyFormOfImageReferenceIsAccepted(String image) {
        assertThat(Samples.valid("{\"image\": \"" + image + "\", \"command\": [\"x\"]}")
                        .image())
                .isEqualTo(image);
    }

    @Test
    void filesMayBeTextOrBytesInTheWorkspaceOrTmp() {
        Submission submission = Samples.valid(overlaid(
                "\"files\": {\"src/a.py\": \"é\", \"/tmp/b\": {\"base64\": \"AP8=\"}, \"/workspace/..c\": \"\"}"));

        assertThat(submission.files())
                .isEqualTo(Map.of(
                        "src/a.py",
                        plain(Blob.ofUtf8("é")),
                        "/tmp/b",
                        plain(Blob.of(new byte[] {0, (byte) 0xff})),
                        "/workspace/..c",
                        plain(Blob.EMPTY)));
    }

    private static RequestedFile plain(Blob content) {
        return new RequestedFile.Inline(FileMode.PLAIN, content);
    }

    @Test
    void aFileMayHaveAModeAndAScriptIsExecutableByDefault() {
        Submission submission = Samples.valid(overlaid("\"files\": {\"a\": {\"base64\": \"AP8=\", \"mode\": \"0750\"},"
                + " \"b\": \"#!/bin/sh\\n\", \"c\": {\"base64\": \"IyEvYmluL3NoCg==\", \"mode\": \"0600\"},"
                + " \"d\": {\"digest\": \"" + "0".repeat(64) + "\"}}"));

        assertThat(submission.files().values())
                .extracting(file -> file.mode().toString())
                .containsExactlyInAnyOrder("0750", "0755", "0600", "0644");
    }

    @Test
    void moreFilesAndFoldersThanTheLimitAreRefused() {
        String files = "\"files\": {\"a/b/c\": \"\", \"a/d\": \"\", \"/tmp/e\": \"\"}";

        assertThat(errors(overlaid("\"limits\": {\"files\": 5}, " + files))).isEmpty();
        Reading reading = Samples.read(overlaid("\"limits\": {\"files\": 4}, " + files));

        assertThat(((Reading.Invalid) reading).errors())
                .containsExactly(new FieldError(
                        "files", "are 5 including the folders that contain them; limits.files allows 4"));
    }

    @Test
    void anArchiveIsUnpackedIntoAFolderOrTheWorkspaceBesideFiles() {
        String archive = "{\"digest\": \"" + "0".repeat(64) + "\", \"form\": \"archive\"}";

        Submission submission = Samples.valid(overlaid("\"files\": {\".\": " + archive + ", \"/tmp\": " + archive
                + ", \"lib\": " + archive + ", \"lib/a.py\": \"\"}"));

        assertThat(submission.files().get(".").form()).isEqualTo(FileForm.ARCHIVE);
        assertThat(submission.files().get("lib/a.py").form()).isEqualTo(FileForm.FILE);
        assertThat(errors(overlaid("\"files\": {\"lib\": \"\", \"/workspace/lib\": " + archive + "}")))
                .containsExactly("files[\"/workspace/lib\"]");
        assertThat(errors(overlaid("\"files\": {\"/workspace/lib\": " + archive + ", \"lib\": \"\"}")))
                .containsExactly("files.lib");
    }

    @Test
    void filesLargerThanTheDiskLimitAreRefused() {
        Reading reading = Samples.read(
                overlaid("\"limits\": {\"disk\": \"4Ki\"}, \"files\": {\"a\": \"" + "x".repeat(4097) + "\"}"));

        assertThat(((Reading.Invalid) reading).errors())
                .containsExactly(new FieldError("files", "are 4097 bytes together; limits.disk allows 4Ki"));
    }

    @Test
    void argumentsLongerThanTheKernelAcceptsAreRefused() {
        String longest = "x".repeat(ProcessFields.MAX_STRING_BYTES);

        assertThat(Samples.read(overlaid("\"command\": [\"a\", \"" + longest + "\"]")))
                .isInstanceOf(Reading.Valid.class);
        assertThat(errors(overlaid("\"command\": [\"a\", \"" + longest + "x\"]")))
                .containsExactly("command[1]");
        assertThat(errors(overlaid("\"env\": {\"A\": \"" + longest + "\"}"))).containsExactly("env.A");
    }

    @Test
    void argumentsAndEnvironmentThatDoNotFitIntoAProcessAreRefused() {
        String variables = IntStream.range(0, 6)
                .mapToObj(index -> "\"V" + index + "\": \"" + "x".repeat(100_000) + "\"")
                .collect(Collectors.joining(","));

        assertThat(errors(overlaid("\"env\": {" + variables + "}"))).containsExactly("command");
    }

    @Test
    void tooManyLabelsOrFilesAreRefused() {
        assertThat(errors(overlaid("\"labels\": {" + names(65) + "}"))).containsExactly("labels");
        assertThat(errors(overlaid("\"files\": {" + names(FileFields.MAX_FILES + 1) + "}")))
                .containsExactly("files");
    }

    @Test
    void aMillionErrorsGiveAShortAnswer() {
        List<FieldError> errors = ((Reading.Invalid) Samples.read("{" + names(5000) + "}")).errors();

        assertThat(errors).hasSize(Findings.MAX_ERRORS + 1);
        assertThat(errors.get(Findings.MAX_ERRORS).message()).contains("more fields are wrong");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
            ``                        | empty
            `  `                      | empty
            []                        | must be a JSON object, not a list
            7                         | must be a JSON object, not a number
            null                      | must be a JSON object, not null
            {                         | cut off
            {"image": "a             | cut off
            {"image": "a", "ima      | cut off
            {"image": "a", "image": "b"} | 'image' occurs twice
            {"env": {"A": "", "A": ""}} | 'A' occurs twice
            {} {}                     | There is more
            {}x                       | not valid JSON
            {"a": NaN}                | not valid JSON
            {'a': 1}                  | not valid JSON
            {"a": 01}                 | not valid JSON
            {"a": sk-12345}           | not valid JSON
            {"a": "\\ud800"}          | surrogate
            {"\\udc00": 1}            | surrogate
            {"\\ud800": 1}            | surrogate
            {"a": 1e99999999999}      | exponent
            """)
    void invalidJsonIsReportedInOneSentence(String body, String why) {
        Reading reading = Samples.read(body);

        assertThat(reading).isInstanceOf(Reading.Malformed.class);
        assertThat(((Reading.Malformed) reading).sentence())
                .contains(why)
                .doesNotContain("sk-")
                .doesNotContain("12345");
    }

    @Test
    void malformedUtf8IsReportedWithItsPosition() {
        byte[] body = utf8("{\"image\": \"a?\"}");
        body[12] = (byte) 0xff;

        Reading reading = Samples.reader(Isolation.CONTAINER).read(body, Identity.LOCAL_OPERATOR);

        assertThat(((Reading.Malformed) reading).sentence()).contains("not valid UTF-8 at byte 12");
    }

    @Test
    void utf8TruncatedInsideACharacterIsMalformed() {
        byte[] whole = utf8("{\"image\": \"é");

        Reading reading = Samples.reader(Isolation.CONTAINER)
                .read(Arrays.copyOf(whole, whole.length - 1), Identity.LOCAL_OPERATOR);

        assertThat(((Reading.Malformed) reading).sentence()).contains("not valid UTF-8");
    }

    @Test
    void excessiveNestingAndNumbersAreMalformed() {
        assertThat(Samples.read("{\"a\":" + "[".repeat(100_000))).isInstanceOf(Reading.Malformed.class);
        assertThat(Samples.read("{\"a\":" + "1".repeat(100_000) + "}")).isInstanceOf(Reading.Malformed.class);
        assertThat(Samples.read("{\"" + "a".repeat(100_000) + "\": 1}")).isInstanceOf(Reading.Malformed.class);
    }

    @Test
    void secretsNeverAppearInASubmissionsText() {
        Submission submission = Samples.valid(overlaid("\"secrets\": {\"K\": \"hunter2\"}"));

        assertThat(submission.toString()).doesNotContain("hunter2").contains("K=***");
    }

    @Test
    void damagedBodiesNeverCauseAnException() {
        Random random = new Random(20261124);
        SubmissionReader reader = Samples.reader(Isolation.CONTAINER);
        byte[] sample = utf8(Samples.FULL_BODY);
        byte[] alphabet = utf8("{}[]\":,\\u0d8null-1e9.5 /ké\u0000");
        for (int round = 0; round < 30_000; round++) {
            byte[] body =
                    Arrays.copyOf(sample, random.nextInt(10) == 0 ? random.nextInt(sample.length) : sample.length);
            for (int edits = 1 + random.nextInt(5); edits > 0 && body.length > 0; edits--) {
                body[random.nextInt(body.length)] =
                        random.nextBoolean() ? alphabet[random.nextInt(alphabet.length)] : (byte) random.nextInt(256);
            }
            assertThat(reader.read(body, Identity.LOCAL_OPERATOR)).isNotNull();
        }
    }

    @Test
    void valuesOfEveryTypeInEveryPlaceNeverCauseAnException() {
        List<String> values = List.of(
                "null",
                "true",
                "0",
                "-1",
                "1e30",
                "0.1",
                "\"\"",
                "\"x\"",
                "[]",
                "[null]",
                "[[]]",
                "{}",
                "{\"a\":null}",
                "{\"\":{}}",
                "{\"mode\":1}",
                "{\"a\":{\"base64\":1}}");
        List<String> fields = List.of(
                "image",
                "command",
                "env",
                "secrets",
                "workdir",
                "files",
                "limits",
                "warning",
                "egress",
                "isolation",
                "onNodeLoss",
                "maxAttempts",
                "labels",
                "wallClock",
                "memory",
                "pids",
                "cpu");
        for (String field : fields) {
            for (String value : values) {
                assertThat(Samples.read("{\"" + field + "\":" + value + "}")).isInstanceOf(Reading.Invalid.class);
                assertThat(Samples.read("{\"limits\":{\"" + field + "\":" + value + "}}"))
                        .isInstanceOf(Reading.Invalid.class);
            }
        }
    }

    /** A valid body with one more field, or with another value of a field. */
    private static String overlaid(String field) {
        StringBuilder body = new StringBuilder("{").append(field);
        if (!field.startsWith("\"image\"")) {
            body.append(", \"image\": \"a\"");
        }
        if (!field.startsWith("\"command\"")) {
            body.append(", \"command\": [\"x\"]");
        }
        return body.append('}').toString();
    }

    private static List<String> errors(String body) {
        return Samples.read(body) instanceof Reading.Invalid invalid
                ? invalid.errors().stream().map(FieldError::field).toList()
                : List.of();
    }

    private static String names(int count) {
        return IntStream.range(0, count)
                .mapToObj(index -> "\"n" + index + "\": \"\"")
                .collect(Collectors.joining(","));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
