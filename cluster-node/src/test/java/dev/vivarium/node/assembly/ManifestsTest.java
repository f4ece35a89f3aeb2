package dev.vivarium.node.assembly;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.membership.ClusterSettings;
import dev.vivarium.node.network.EgressSettings;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The manifests are valid for Kubernetes, and agree with the code on every name, port and path. */
class ManifestsTest {
    private static final Path FOLDER = Path.of("..", "k8s-manifests");
    private static final String NAME_LABEL = "app.kubernetes.io/name";

    private static final Map<String, Class<? extends HasMetadata>> KINDS = Map.of(
            "ServiceAccount", ServiceAccount.class,
            "Role", Role.class,
            "RoleBinding", RoleBinding.class,
            "NetworkPolicy", NetworkPolicy.class,
            "Service", Service.class,
            "PersistentVolumeClaim", PersistentVolumeClaim.class,
            "StatefulSet", StatefulSet.class,
            "PodDisruptionBudget", PodDisruptionBudget.class,
            "ConfigMap", ConfigMap.class,
            "Job", Job.class);

    /** Unlike the model's mapper it refuses unknown fields. */
    private static final ObjectMapper STRICT = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .annotationIntrospector(new JacksonAnnotationIntrospector() {
                @Override
                public Boolean hasAnySetter(Annotated annotated) {
                    return false;
                }
            })
            .build();

    private static List<HasMetadata> base;
    private static Config config;

    @BeforeAll
    static void build() throws Exception {
        base = built("base");
        config = configured("base/vivarium.conf");
    }

    @Test
    void theJobThatPreparesTheStoreUsesTheStoreOfTheNodes() throws Exception {
        Job job = one(built("prepare"), Job.class);
        PodSpec pod = job.getSpec().getTemplate().getSpec();
        Config prepared = configured("prepare/prepare.conf");

        assertThat(prepared.getConfig("vivarium.store")).isEqualTo(config.getConfig("vivarium.store"));
        assertThat(prepared.getConfig("vivarium.audit")).isEqualTo(config.getConfig("vivarium.audit"));
        assertIsMounted(pod.getContainers().get(0), prepared.getString("vivarium.audit.log.key-file"));
        assertThat(pod.getContainers().get(0).getArgs()).startsWith("store", "prepare");
        assertThat(pod.getContainers().get(0).getImage()).isEqualTo(node().getImage());
        assertIsMounted(pod.getContainers().get(0), prepared.getString("vivarium.store.postgres.keys"));
    }

    @Test
    void theConfigurationHasOnlyKnownKeysAndIsConsistent() throws Exception {
        Config given =
                ConfigFactory.parseFile(FOLDER.resolve("base/vivarium.conf").toFile());
        Config known = ConfigFactory.load();

        given.resolveWith(pod()).entrySet().forEach(entry -> assertThat(known.hasPathOrNull(entry.getKey())
                        || entry.getKey().startsWith("pekko.discovery.kubernetes-api."))
                .as(entry.getKey())
                .isTrue());
        ClusterSettings settings = ClusterSettings.of(config);
        assertThat(settings.formation()).isEqualTo(ClusterSettings.Formation.BOOTSTRAP);
        assertThat(settings.engine()).isEqualTo(ClusterSettings.Engine.OWN);
        int replicas = nodes().getSpec().getReplicas();
        int required = config.getInt("vivarium.cluster.bootstrap.required-contact-points");
        assertThat(2 * required).as("more than half, or two clusters may form").isGreaterThan(replicas);
    }

    @Test
    void sandboxesCannotReachTheClustersRanges() {
        assertThat(config.getStringList("vivarium.egress.internal-ranges")).hasSize(3);
        ConfigMap cluster = base.stream()
                .filter(ConfigMap.class::isInstance)
                .map(ConfigMap.class::cast)
                .filter(map -> map.getMetadata().getName().startsWith("vivarium-cluster"))
                .findFirst()
                .orElseThrow();
        assertThat(cluster.getData()).containsOnlyKeys("pods", "services", "nodes");
        assertThat(EgressSettings.from(config.getConfig("vivarium.egress"))
                        .blocked()
                        .ipv4Cidrs())
                .contains("203.0.112.0/24");
    }

    @Test
    void portsMatchTheConfigurationAndTheNamesUsedByDiscovery() {
        Map<String, Integer> ports = new HashMap<>();
        node().getPorts().forEach(port -> ports.put(port.getName(), port.getContainerPort()));

        assertThat(ports)
                .containsEntry("artery", config.getInt("vivarium.cluster.port"))
                .containsEntry(
                        config.getString("vivarium.cluster.bootstrap.port-name"),
                        config.getInt("vivarium.cluster.management.port"));
        assertThat(node().getArgs()).contains("--port=" + ports.get("http"));
        for (HasMetadata found : base) {
            if (found instanceof Service service) {
                service.getSpec().getPorts().forEach(port -> assertThat(ports)
                        .containsEntry(port.getName(), port.getPort()));
                assertThat(labels()).containsAllEntriesOf(service.getSpec().getSelector());
            }
        }
    }

    @Test
    void discoveryFindsTheNodesByLabelAndHasThePermission() {
        String selector = String.format(
                config.getString("pekko.discovery.kubernetes-api.pod-label-selector"),
                config.getString("vivarium.cluster.bootstrap.service"));

        assertThat(selector).isEqualTo(NAME_LABEL + "=" + labels().get(NAME_LABEL));
        Role role = one(base, Role.class);
        assertThat(role.getRules()).singleElement().satisfies(rule -> {
            assertThat(rule.getResources()).containsExactly("pods");
            assertThat(rule.getVerbs()).containsExactlyInAnyOrder("get", "list", "watch");
        });
        RoleBinding binding = one(base, RoleBinding.class);
        assertThat(binding.getRoleRef().getName()).isEqualTo(role.getMetadata().getName());
        assertThat(binding.getSubjects()).singleElement().satisfies(subject -> assertThat(subject.getName())
                .isEqualTo(podSpec().getServiceAccountName())
                .isEqualTo(one(base, ServiceAccount.class).getMetadata().getName()));
    }

    @Test
    void probesUseServedPaths() throws Exception {
        String alive = "/" + config.getString("pekko.management.health-checks.liveness-path");
        String api = new String(
                ManifestsTest.class.getResourceAsStream("/openapi.yaml").readAllBytes(), StandardCharsets.UTF_8);

        assertThat(node().getLivenessProbe().getHttpGet().getPath()).isEqualTo(alive);
        assertThat(node().getStartupProbe().getHttpGet().getPath()).isEqualTo(alive);
        assertThat(api)
                .contains("\n  " + node().getReadinessProbe().getHttpGet().getPath() + ":");
    }

    @Test
    void filesNamedInTheConfigurationAreMountedAndInTheSecret() {
        for (String key : List.of("vivarium.cluster.secret-file", "vivarium.store.postgres.password-file")) {
            String file = config.getString(key);
            assertIsMounted(node(), file);
            String name = Path.of(file).getFileName().toString();
            assertThat(podSpec().getVolumes())
                    .filteredOn(volume -> volume.getSecret() != null
                            && volume.getSecret().getSecretName().equals("vivarium"))
                    .singleElement()
                    .satisfies(volume -> assertThat(volume.getSecret().getItems())
                            .anySatisfy(item -> assertThat(item.getPath()).isEqualTo(name)));
        }
        assertIsMounted(node(), config.getString("vivarium.store.postgres.keys"));
        assertIsMounted(node(), config.getString("vivarium.audit.log.key-file"));
        for (String file : List.of("certificate", "key", "authority")) {
            assertIsMounted(node(), config.getString("vivarium.cluster.tls." + file));
        }
    }

    @Test
    void aNodeHasTimeToDrainBeforeItIsKilledAndItsEngineOutlivesIt() {
        String drain = node().getArgs().stream()
                .filter(argument -> argument.startsWith("--drain="))
                .map(argument -> argument.substring("--drain=".length()))
                .findFirst()
                .orElseThrow();
        Duration sleep = Duration.ofSeconds(Long.parseLong(
                node().getLifecycle().getPreStop().getExec().getCommand().get(1)));
        Duration needed = ConfigFactory.parseString("drain=" + drain)
                .getDuration("drain")
                .plus(sleep)
                .plus(config.getDuration("vivarium.drain.end-wait"))
                .plusSeconds(30);

        assertThat(Duration.ofSeconds(podSpec().getTerminationGracePeriodSeconds()))
                .isGreaterThanOrEqualTo(needed);
        Container engine = podSpec().getContainers().get(1);
        assertThat(String.join(" ", engine.getLifecycle().getPreStop().getExec().getCommand()))
                .contains("dev.vivarium.node.cli.Vivarium");
        assertThat(podSpec().getShareProcessNamespace()).isTrue();
    }

    // ---- reading manifests

    private static List<HasMetadata> built(String folder) throws Exception {
        Optional<Path> program = Arrays.stream(System.getenv("PATH").split(":"))
                .map(directory -> Path.of(directory, "kubectl"))
                .filter(Files::isExecutable)
                .findFirst();
        assumeThat(program)
                .as("kubectl is installed (Debian: kubernetes-client)")
                .isPresent();
        Process kubectl = new ProcessBuilder(
                        program.orElseThrow().toString(),
                        "kustomize",
                        FOLDER.resolve(folder).toString())
                .start();
        kubectl.getOutputStream().close();
        byte[] yaml = kubectl.getInputStream().readAllBytes();
        assertThat(kubectl.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(kubectl.exitValue())
                .as(new String(kubectl.getErrorStream().readAllBytes(), StandardCharsets.UTF_8))
                .isZero();
        List<HasMetadata> objects = new ArrayList<>();
        YAMLMapper reader = new YAMLMapper();
        try (var documents = reader.readerFor(JsonNode.class).<JsonNode>readValues(yaml)) {
            while (documents.hasNext()) {
                JsonNode document = documents.next();
                Class<? extends HasMetadata> kind =
                        KINDS.get(document.path("kind").asText());
                assertThat(kind).as("%s", document.path("kind")).isNotNull();
                HasMetadata object = STRICT.treeToValue(document, kind);
                assertThat(object.getMetadata().getNamespace()).isEqualTo("vivarium");
                objects.add(object);
            }
        }
        return objects;
    }

    private static Config configured(String file) {
        return ConfigFactory.parseFile(FOLDER.resolve(file).toFile())
                .withFallback(pod())
                .withFallback(ConfigFactory.defaultReferenceUnresolved())
                .resolve();
    }

    /** Settings that come from the pod's environment. */
    private static Config pod() {
        return ConfigFactory.parseMap(Map.of(
                "POD_NAME", "vivarium-0",
                "POD_NAMESPACE", "vivarium",
                "POD_IP", "10.0.0.1",
                "CLUSTER_PODS", "10.244.0.0/16",
                "CLUSTER_SERVICES", "34.118.224.0/20",
                "CLUSTER_NODES", "203.0.112.0/24",
                "STORE_URL", "jdbc:postgresql://db/vivarium"));
    }

    private static void assertIsMounted(Container container, String path) {
        assertThat(container.getVolumeMounts())
                .anySatisfy(mount -> assertThat(Path.of(path)).startsWithRaw(Path.of(mount.getMountPath())));
    }

    private static <T extends HasMetadata> T one(List<HasMetadata> objects, Class<T> kind) {
        return objects.stream()
                .filter(kind::isInstance)
                .map(kind::cast)
                .findFirst()
                .orElseThrow();
    }

    private static StatefulSet nodes() {
        return one(base, StatefulSet.class);
    }

    private static PodSpec podSpec() {
        return nodes().getSpec().getTemplate().getSpec();
    }

    private static Map<String, String> labels() {
        return nodes().getSpec().getTemplate().getMetadata().getLabels();
    }

    private static Container node() {
        return podSpec().getContainers().get(0);
    }
}
