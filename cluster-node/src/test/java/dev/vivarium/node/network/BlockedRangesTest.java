package dev.vivarium.node.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.common.net.InetAddresses;
import java.math.BigInteger;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockedRangesTest {
    private final BlockedRanges blocked = BlockedRanges.standard();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0.0.0",
                "0.1.2.3",
                "10.0.0.0",
                "10.255.255.255",
                "100.64.0.0",
                "100.127.255.255",
                "127.0.0.1",
                "127.255.255.254",
                "169.254.169.254",
                "172.16.0.1",
                "172.31.255.255",
                "192.0.0.8",
                "192.0.0.192",
                "192.0.2.1",
                "192.88.99.1",
                "192.168.77.10",
                "198.18.0.0",
                "198.19.255.255",
                "198.51.100.1",
                "203.0.113.255",
                "224.0.0.1",
                "239.255.255.255",
                "240.0.0.1",
                "255.255.255.255"
            })
    void nothingInsideIsReachableByIpv4(String address) {
        assertThat(blocked.contains(address(address))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1.1.1.1",
                "8.8.8.8",
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "126.255.255.255",
                "128.0.0.0",
                "169.253.255.255",
                "169.255.0.0",
                "172.15.255.255",
                "172.32.0.0",
                "192.0.1.0",
                "192.0.3.0",
                "192.88.98.255",
                "192.167.255.255",
                "192.169.0.0",
                "198.17.255.255",
                "198.20.0.0",
                "198.51.99.255",
                "203.0.114.0",
                "223.255.255.255",
                "2606:4700:4700::1111",
                "2a00:1450::1",
                "2003::1"
            })
    void theInternetBesideItIsReachable(String address) {
        assertThat(blocked.contains(address(address))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "::",
                "::1",
                "::7f00:1",
                "::8.8.8.8",
                "::ffff:10.0.0.1",
                "::ffff:0:169.254.169.254",
                "64:ff9b::169.254.169.254",
                "64:ff9b::8.8.8.8",
                "64:ff9b:1:a9fe:a9:fe00::",
                "100::1",
                "100:0:0:1::1",
                "2001::1",
                "2001:2::1",
                "2001:db8::1",
                "2002:a9fe:a9fe::1",
                "2002:808:808::1",
                "3fff::1",
                "5f00::1",
                "fc00::1",
                "fdff:ffff::1",
                "fe80::1",
                "febf::1",
                "fec0::1",
                "ff02::1",
                // ISATAP on a public prefix, which carries the metadata address
                "2606:4700::5efe:169.254.169.254",
                "2606:4700::200:5efe:10.0.0.1"
            })
    void nothingInsideIsReachableByIpv6NorInAnyFormThatCarriesIpv4(String address) {
        assertThat(blocked.contains(address(address))).isTrue();
    }

    @Test
    void aMappedAddressIsTheIpv4AddressThatItCarries() throws Exception {
        byte[] mapped = new byte[16];
        mapped[10] = (byte) 0xff;
        mapped[11] = (byte) 0xff;
        System.arraycopy(address("169.254.169.254").getAddress(), 0, mapped, 12, 4);

        assertThat(blocked.contains(InetAddress.getByAddress(mapped))).isTrue();
    }

    @Test
    void anOperatorsOwnRangesAreBlockedTooAndTheStandardOnesStay() {
        BlockedRanges more = blocked.withMore(List.of("8.8.8.0/24", "1.2.3.4", "2606:4700::/32"));

        assertThat(more.contains(address("8.8.8.8"))).isTrue();
        assertThat(more.contains(address("8.8.9.8"))).isFalse();
        assertThat(more.contains(address("1.2.3.4"))).isTrue();
        assertThat(more.contains(address("1.2.3.5"))).isFalse();
        assertThat(more.contains(address("2606:4700::1"))).isTrue();
        assertThat(more.contains(address("127.0.0.1"))).isTrue();
        assertThat(blocked.contains(address("8.8.8.8"))).isFalse();
    }

    @Test
    void theIpv4RangesAreInOrderAndDoNotOverlap() {
        List<String> cidrs = blocked.withMore(
                        List.of("8.8.8.0/24", "8.8.0.0/16", "8.8.8.8", "10.1.0.0/16", "8.8.0.0/16"))
                .ipv4Cidrs();

        assertThat(cidrs)
                .contains("8.8.0.0/16", "10.0.0.0/8", "240.0.0.0/4")
                .doesNotContain("8.8.8.0/24", "8.8.8.8/32");
        long end = -1;
        for (String cidr : cidrs) {
            int slash = cidr.indexOf('/');
            long first = new BigInteger(1, address(cidr.substring(0, slash)).getAddress()).longValue();
            assertThat(first).isGreaterThan(end);
            end = first + (1L << (32 - Integer.parseInt(cidr.substring(slash + 1)))) - 1;
        }
        assertThat(end).isEqualTo(0xffffffffL);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "10",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "10.0.0.0/08",
                "10.0.0.1/8",
                "010.0.0.0/8",
                "10.0.0/8",
                "fe80::1%eth0",
                "2001:db8::/129",
                "localhost",
                "10.0.0.0/8/8",
                "::1/64"
            })
    void anInvalidBlockIsRefusedByName(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> blocked.withMore(List.of(text)))
                .withMessageContaining("'" + text + "'");
    }

    private static InetAddress address(String literal) {
        return InetAddresses.forString(literal);
    }
}
