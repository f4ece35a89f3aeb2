package dev.vivarium.node.access.oidc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import dev.vivarium.node.doubles.MovableClock;
import dev.vivarium.protocol.access.Authentication;
import dev.vivarium.protocol.access.Identity;
import dev.vivarium.protocol.access.Role;
import dev.vivarium.protocol.auth.Tenant;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens of a real issuer on this machine: good ones, forged ones, and an issuer that does not do what it should. */
class OidcTokensTest {
    private static final Instant NOW = Instant.parse("2026-12-01T20:00:00Z");
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static RSAKey key;
    private static RSAKey next;
    private static ECKey curve;

    private final ExecutorService blocking = Executors.newFixedThreadPool(4);
    private final MovableClock clock = new MovableClock(NOW);
    private TestIssuer issuer;
    private OidcTokens tokens;

    @BeforeAll
    static void makeKeys() throws Exception {
        key = new RSAKeyGenerator(2048).keyID("first").generate();
        next = new RSAKeyGenerator(2048).keyID("second").generate();
        curve = new ECKeyGenerator(Curve.P_256).keyID("curve").generate();
    }

    @BeforeEach
    void open() throws IOException {
        issuer = new TestIssuer();
        issuer.publishes(key, curve);
        tokens = tokens("");
    }

    @AfterEach
    void close() {
        issuer.close();
        blocking.shutdownNow();
    }

    // ---- good tokens

    @Test
    void aTokenOfTheIssuerIsItsCallerWithTheRoleAndTenantOfTheFirstRuleThatApplies() {
        Identity caller = known(sign(claims().subject("system:serviceaccount:agents:runner")));

        assertThat(caller.principal()).hasToString("oidc:corp/system:serviceaccount:agents:runner");
        assertThat(caller.role()).isEqualTo(Role.SUBMITTER);
        assertThat(caller.tenant()).isEqualTo(new Tenant("agents"));
        assertThat(caller.token()).isEmpty();
    }

    @Test
    void aClaimMayBeAListAndMayNameTheTenant() {
        Identity operator = known(sign(claims().claim("groups", List.of("staff", "platform"))));
        Identity viewer = known(sign(claims().claim("team", "research")));

        assertThat(operator.role()).isEqualTo(Role.OPERATOR);
        assertThat(viewer.role()).isEqualTo(Role.VIEWER);
        assertThat(viewer.tenant()).isEqualTo(new Tenant("research"));
    }

    @Test
    void oneOfSeveralAudiencesIsEnough() {
        known(sign(claims().claim("team", "research").audience(List.of("other", "vivarium"))));
    }

    @Test
    void curvesAreAcceptedToo() throws Exception {
        SignedJWT jwt = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.ES256).keyID("curve").build(),
                claims().claim("team", "research").build());
        jwt.sign(new ECDSASigner(curve));

        known(jwt.serialize());
    }

    @Test
    void aClockThatIsALittleOffIsForgiven() {
        known(sign(claims().claim("team", "research").expirationTime(at(Duration.ofSeconds(-50)))));
        known(sign(claims().claim("team", "research").notBeforeTime(at(Duration.ofSeconds(50)))));
    }

    // ---- bad tokens

    @Test
    void aTokenForAnotherServiceIsRefused() {
        refusedWith("aud claim", sign(claims().audience("billing").claim("team", "research")));
    }

    @Test
    void anExpiredTokenIsRefusedAlsoOneThatWasGoodAMomentAgo() {
        String token = sign(claims().claim("team", "research").expirationTime(at(Duration.ofSeconds(10))));
        known(token);

        clock.pass(Duration.ofSeconds(71));

        refusedWith("Expired", token);
    }

    @Test
    void clocksTenMinutesOffAreRefused() {
        refusedWith("Expired", sign(claims().claim("team", "a").expirationTime(at(Duration.ofMinutes(-10)))));
        refusedWith("before use", sign(claims().claim("team", "a").notBeforeTime(at(Duration.ofMinutes(10)))));
    }

    @Test
    void aTokenThatNeverExpiresIsRefused() {
        refusedWith("exp", sign(claims().claim("team", "research").expirationTime(null)));
    }

    @Test
    void anUnsignedTokenIsRefused() {
        refusedWith(
                "no signed JWT",
                new PlainJWT(claims().claim("groups", "platform").build()).serialize());
    }

    @Test
    void aPublicKeyIsNoSharedSecret() throws Exception {
        SignedJWT forged = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.HS256).keyID("first").build(),
                claims().claim("groups", "platform").build());
        forged.sign(new MACSigner(key.toRSAPublicKey().getEncoded()));

        refusedWith("HS256", forged.serialize());
    }

    @Test
    void claimsThatWereChangedAreRefused() {
        String[] own = sign(claims().claim("team", "research")).split("\\.", -1);
        String[] other = sign(claims().claim("groups", "platform")).split("\\.", -1);

        refusedWith("signature", own[0] + "." + other[1] + "." + own[2]);
    }

    @Test
    void aKeyOfSomebodyElseWithTheNameOfTheIssuersIsOfNoUse() throws Exception {
        RSAKey own = new RSAKeyGenerator(2048).keyID("first").generate();

        refusedWith(
                "signature",
                TestIssuer.sign(own, claims().claim("groups", "platform").build()));
    }

    @Test
    void anotherIssuerIsUnknown() {
        refusedWith("none that this installation knows", sign(claims().issuer("https://issuer.example.org")));
        refusedWith("none that this installation knows", sign(claims().issuer(null)));
    }

    @Test
    void aCallerToWhomNoRuleAppliesIsToldWhatToAskFor() {
        refusedWith(
                "No rule gives corp/mallory", sign(claims().subject("mallory").claim("tier", "unknown")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "with space", "line\nbreak", "ünicode"})
    void aNameThatIsNoneIsRefused(String name) {
        refusedWith("no name", sign(claims().subject(name).claim("team", "research")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "..", "a\u0000b", "Research", "rese\u0430rch", "a/b"})
    void aClaimThatIsNoNameForATenantIsRefused(String name) {
        refusedWith("tenant", sign(claims().claim("team", name)));
    }

    @Test
    void aTokenWithoutTheClaimThatNamesItsTenantIsRefused() {
        refusedWith("tenant", sign(claims()));
        refusedWith("tenant", sign(claims().claim("team", List.of("research", "billing"))));
    }

    @ParameterizedTest
    @ValueSource(strings = {".", "..", "a.b", "a.b.c", "....", "eyJhbGciOiJSUzI1NiJ9..", "e30.e30.e30"})
    void whatIsNoTokenIsRefused(String text) {
        assertThat(judge(text)).isInstanceOf(Authentication.Refused.class);
    }

    @Test
    void aLongTextIsRefusedUnread() {
        refusedWith("longer than", "a.b." + "c".repeat(1 << 20));
    }

    // ---- the issuer's keys

    @Test
    void aRotatedKeyIsReadWhenATokenNamesIt() {
        known(sign(claims().claim("team", "research")));
        issuer.publishes(key, next);
        clock.pass(Duration.ofSeconds(11));

        known(TestIssuer.sign(next, claims().claim("team", "research").build()));
        assertThat(issuer.readings()).isEqualTo(2);
    }

    @Test
    void madeUpKeysByTheThousandCostTheIssuerOneReading() throws Exception {
        known(sign(claims().claim("team", "research")));
        clock.pass(Duration.ofSeconds(11));

        for (int number = 0; number < 1000; number++) {
            SignedJWT forged = new SignedJWT(
                    new JWSHeader.Builder(JWSAlgorithm.ES256)
                            .keyID("no-" + number)
                            .build(),
                    claims().claim("groups", "platform").build());
            forged.sign(new ECDSASigner(curve));
            refusedWith("no matching key", forged.serialize());
        }

        assertThat(issuer.readings()).isEqualTo(2);
        known(sign(claims().claim("team", "research")));
    }

    @Test
    void aKeyThatTheIssuerHasWithdrawnIsRefusedWhenItsKeysWereReadAgain() {
        known(sign(claims().claim("team", "research")));
        issuer.publishes(next);
        clock.pass(Duration.ofMinutes(2));
        known(TestIssuer.sign(next, claims().claim("team", "research").build()));

        refusedWith("no matching key", sign(claims().claim("team", "another")));
    }

    @ParameterizedTest
    @EnumSource(names = {"FAILS", "HANGS", "DRIPS", "REDIRECTS"})
    void whileTheIssuersKeysCannotBeReadNothingIsDecided(TestIssuer.Conduct conduct) {
        issuer.behaves(conduct);

        assertThat(judge(sign(claims().claim("team", "research")))).isInstanceOf(Authentication.Undecided.class);

        issuer.behaves(TestIssuer.Conduct.ANSWERS);
        clock.pass(Duration.ofSeconds(11));
        known(sign(claims().claim("team", "research")));
    }

    @Test
    void knownKeysHoldForADayWhileTheIssuerIsAway() {
        known(sign(claims().claim("team", "research").expirationTime(at(Duration.ofDays(3)))));
        issuer.behaves(TestIssuer.Conduct.FAILS);

        clock.pass(Duration.ofHours(23));
        known(sign(claims().claim("team", "another").expirationTime(at(Duration.ofDays(3)))));

        clock.pass(Duration.ofHours(2));
        assertThat(judge(sign(claims().claim("team", "third").expirationTime(at(Duration.ofDays(3))))))
                .isInstanceOf(Authentication.Undecided.class);
    }

    @Test
    void aConfigurationOfAnotherIssuerIsNotBelieved() {
        issuer.callsItself("https://issuer.example.org");

        assertThat(judge(sign(claims().claim("team", "research")))).isInstanceOf(Authentication.Undecided.class);
    }

    // ---- the configuration

    @ParameterizedTest
    @ValueSource(
            strings = {
                "issuer = \"http://issuer.example.org\"",
                "issuer = \"not an address\"",
                "issuer = \"\"",
                "name = \"with space\"",
                "audience = []",
                "rules = []",
                "rules = [ { role = nobody, tenant = a } ]",
                "rules = [ { role = submitter } ]",
                "rules = [ { role = submitter, tenant = Agents } ]",
                "rules = [ { role = submitter, tenant = a, tenant-claim = b } ]",
                "rules = [ { claim = groups, role = submitter, tenant = a } ]",
                "rules = [ { clam = groups, value = a, role = submitter, tenant = a } ]",
                "principle-claim = email"
            })
    void aConfigurationThatMeansNothingIsRefused(String wrong) {
        assertThatThrownBy(() -> tokens(wrong)).isInstanceOf(ConfigException.class);
    }

    @Test
    void withoutAnIssuerItsTokensAreToldSo() {
        OidcTokens none = new OidcTokens(
                OidcSettings.from(ConfigFactory.defaultReference().getConfig("vivarium.oidc")), blocking, clock, clock);

        assertThat(none.authenticate(sign(claims())))
                .isCompletedWithValueMatching(answer -> answer instanceof Authentication.Refused refused
                        && refused.why().contains("vivarium token create"));
    }

    // ---- what the tests share

    private OidcTokens tokens(String more) {
        String block = "issuers = [ { name = corp, issuer = \"" + issuer.address() + "\", audience = [vivarium]\n"
                + "rules = [ { claim = groups, value = platform, role = operator }\n"
                + "{ claim = sub, value = \"system:serviceaccount:agents:runner\", role = submitter, tenant = agents }\n"
                + "{ claim = tier, value = known, role = viewer, tenant-claim = team } ]\n" + more
                + "\n} ], fetch-timeout = 1s";
        return new OidcTokens(
                OidcSettings.from(ConfigFactory.parseString(block)
                        .withFallback(ConfigFactory.defaultReference().getConfig("vivarium.oidc"))),
                blocking,
                clock,
                clock);
    }

    private JWTClaimsSet.Builder claims() {
        return new JWTClaimsSet.Builder()
                .issuer(issuer.address())
                .subject("alice")
                .audience("vivarium")
                .claim("tier", "known")
                .expirationTime(at(Duration.ofDays(2)));
    }

    private static Date at(Duration after) {
        return Date.from(NOW.plus(after));
    }

    private static String sign(JWTClaimsSet.Builder claims) {
        return TestIssuer.sign(key, claims.build());
    }

    private Authentication judge(String token) {
        return tokens.authenticate(token)
                .toCompletableFuture()
                .orTimeout(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                .join();
    }

    private Identity known(String token) {
        Authentication answer = judge(token);
        assertThat(answer).isInstanceOf(Authentication.Known.class);
        return ((Authentication.Known) answer).identity();
    }

    private void refusedWith(String why, String token) {
        Authentication answer = judge(token);
        assertThat(answer).isInstanceOf(Authentication.Refused.class);
        assertThat(((Authentication.Refused) answer).why()).containsIgnoringCase(why);
    }
}
