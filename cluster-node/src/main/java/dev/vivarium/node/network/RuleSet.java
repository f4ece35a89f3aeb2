package dev.vivarium.node.network;

import java.util.List;
import java.util.stream.Collectors;

/**
 * The rules of one node's packet filter, in nft(8) syntax. They identify sandboxes by their links, so they are the same
 * for one sandbox and for a thousand, and are in force before a sandbox has a link. Everything not allowed is dropped;
 * a drop is final, whatever the machine's other tables say.
 *
 * @param mark the node's mark
 * @param own the node's address towards its sandboxes
 * @param block the addresses of its sandboxes, as a CIDR
 * @param internal addresses that no sandbox reaches, as CIDRs
 * @param gatewayPorts the gateway's ports, for sandboxes that reach listed destinations only
 * @param connectionsMax concurrent connections of one sandbox
 * @param packetsPerSecond packets that one sandbox may send in a second
 */
record RuleSet(
        NodeMark mark,
        String own,
        String block,
        List<String> internal,
        List<Integer> gatewayPorts,
        int connectionsMax,
        long packetsPerSecond) {
    /** Destinations counted separately, for all sandboxes together; others are counted in total only. */
    static final int DESTINATIONS_MAX = 16_384;

    static final String DENIED = "denied";
    static final String REFUSED = "refused";
    static final String OPENED = "opened";
    static final String REACHED = "reached";
    static final String SENT = "sent";
    static final String RECEIVED = "received";
    static final String BUDGET = "budget";
    static final String CLOSED = "closed";

    /** The sets with an element for each destination that a sandbox has reached. */
    static final List<String> BY_REACH = List.of(REACHED, SENT, RECEIVED);

    /** The sets with an element for each sandbox. */
    static final List<String> BY_SANDBOX =
            List.of(REFUSED, OPENED, BUDGET, "told_apart", "reached_apart", "asking", "sending", "open_now");

    RuleSet {
        internal = List.copyOf(internal);
        gatewayPorts = List.copyOf(gatewayPorts);
    }

    /** The transaction that installs the rules and atomically removes earlier ones. */
    String installation() {
        return removal() + table();
    }

    /** The transaction that removes the rules. */
    String removal() {
        return removal(mark);
    }

    /** The transaction that removes a node's rules if they exist. */
    static String removal(NodeMark mark) {
        return "table inet %1$s\ndelete table inet %1$s\n".formatted(mark.table());
    }

    private String table() {
        return """
                table inet %1$s {
                  set internal {
                    type ipv4_addr
                    flags interval
                    auto-merge
                    elements = { %5$s }
                  }
                  # What each sandbox was denied, by destination: forgotten when it was quiet for a while.
                  set %8$s {
                    typeof ip saddr . ip daddr . meta l4proto . th dport
                    size %7$d
                    flags dynamic,timeout
                    timeout 10m
                  }
                  set %9$s {
                    type ipv4_addr
                    size 4096
                    flags dynamic
                  }
                  set %10$s {
                    type ipv4_addr
                    size 4096
                    flags dynamic
                  }
                  # A sandbox that scans must not use up the room for others' denials.
                  set told_apart {
                    type ipv4_addr
                    size 4096
                    flags dynamic
                  }
                  # A sandbox that floods the node's sockets must not crowd out others' questions.
                  set asking {
                    type ipv4_addr
                    size 4096
                    flags dynamic
                  }
                  # A sandbox that sends at full speed must not use up the machine's CPU time.
                  set sending {
                    type ipv4_addr
                    size 4096
                    flags dynamic
                  }
                  # Destinations that each sandbox reached, kept for as long as a sandbox may live.
                  set %14$s {
                    typeof ip saddr . ip daddr . meta l4proto . th dport
                    size %7$d
                    flags dynamic,timeout
                    timeout 1d
                  }
                  # All packets to each of those destinations, and from it; each with the first packets of connections.
                  set %16$s {
                    typeof ip saddr . ip daddr . meta l4proto . th dport
                    size %7$d
                    flags dynamic,timeout
                    timeout 1d
                  }
                  set %17$s {
                    typeof ip saddr . ip daddr . meta l4proto . th dport
                    size %7$d
                    flags dynamic,timeout
                    timeout 1d
                  }
                  set reached_apart {
                    type ipv4_addr
                    size 4096
                    flags dynamic
                  }
                  # Connections that each sandbox may open; the number is added with its link.
                  set %15$s {
                    type ipv4_addr
                    size 4096
                    flags dynamic
                    limit rate over 1/hour
                  }
                  # Contains IPv4 while the machine's connection tracking table is nearly full.
                  set %20$s {
                    typeof meta nfproto
                    size 4
                  }
                  set open_now {
                    type ipv4_addr
                    size 4096
                    flags dynamic
                  }
                  # One rule each: a full set ends its rule, and must not prevent the drop.
                  chain deny {
                    update @%9$s { ip saddr counter }
                    meta l4proto { tcp, udp } update @told_apart { ip saddr limit rate 10/second burst 512 packets } update @%8$s { ip saddr . ip daddr . meta l4proto . th dport counter }
                    drop
                  }
                  chain to_node {
                    meta l4proto udp update @asking { ip saddr limit rate over 100/second burst 200 packets } goto deny
                    tcp flags & (syn | ack) == syn update @asking { ip saddr limit rate over 100/second burst 200 packets } goto deny
                    meta l4proto { tcp, udp } th dport 53 accept
                    iifname "%12$s*" tcp dport { %13$s } accept
                    goto deny
                  }
                  chain from_sandbox {
                    meta nfproto != ipv4 drop
                    # Options have each router on the way write its address or clock into the packet, for its receiver.
                    ip hdrlength > 5 goto deny
                    update @sending { ip saddr limit rate over %19$d/second burst %19$d packets } drop
                    # Without the mark there is no route, see RoutingGuard; denied packets are dropped before they need one.
                    meta mark set meta mark | %18$d
                    fib saddr . mark . iif oif missing drop
                    ip daddr %3$s goto to_node
                    iifname != "%4$s*" goto deny
                    fib daddr type != unicast goto deny
                    ip daddr @internal goto deny
                    meta l4proto != { tcp, udp } goto deny
                    th dport { 53, 853 } goto deny
                  }
                  chain first {
                    type filter hook prerouting priority raw; policy accept;
                    iifname "%2$s*" jump from_sandbox
                  }
                  chain back {
                    type filter hook prerouting priority mangle; policy accept;
                    iifname != "%2$s*" ct direction reply ct original ip saddr %6$s meta mark set meta mark | %18$d
                  }
                  chain into_node {
                    type filter hook input priority filter - 10; policy accept;
                    iifname "%2$s*" ip daddr != %3$s drop
                    iifname "%2$s*" meta l4proto { tcp, udp } th dport 53 accept
                    iifname "%12$s*" tcp dport { %13$s } accept
                    iifname "%2$s*" drop
                  }
                  chain through {
                    type filter hook forward priority filter - 10; policy accept;
                    iifname "%2$s*" oifname "vv*" goto deny
                    # ICMP errors reveal routers; those of internal ones are not passed on.
                    oifname "%2$s*" ip protocol icmp ip saddr @internal drop
                    # A set look-up increments the counter of the element that it finds.
                    oifname "%4$s*" ct state established ip daddr . ip saddr . meta l4proto . th sport @%17$s accept
                    oifname "%2$s*" ct state established,related accept
                    oifname "%2$s*" drop
                    iifname "%4$s*" ct state invalid drop
                    iifname "%4$s*" ct state new meta nfproto @%20$s goto deny
                    iifname "%4$s*" ct state new add @open_now { ip saddr ct count over %11$d } goto deny
                    iifname "%4$s*" ct state new update @%10$s { ip saddr counter }
                    iifname "%4$s*" ct state new ip saddr @%15$s goto deny
                    iifname "%4$s*" ct state new update @reached_apart { ip saddr limit rate 1/minute burst 256 packets } update @%14$s { ip saddr . ip daddr . meta l4proto . th dport counter } update @%16$s { ip saddr . ip daddr . meta l4proto . th dport counter } update @%17$s { ip saddr . ip daddr . meta l4proto . th dport counter }
                    iifname "%4$s*" ct state established ip saddr . ip daddr . meta l4proto . th dport @%16$s accept
                    iifname "%4$s*" accept
                    iifname "%2$s*" goto deny
                  }
                  chain out {
                    type nat hook postrouting priority srcnat; policy accept;
                    ip saddr %6$s oifname != "vv*" masquerade
                  }
                }
                """
                .formatted(
                        mark.table(),
                        mark.links(),
                        own,
                        mark.publicLinks(),
                        String.join(", ", internal),
                        block,
                        DESTINATIONS_MAX,
                        DENIED,
                        REFUSED,
                        OPENED,
                        connectionsMax,
                        mark.listedLinks(),
                        gatewayPorts.stream().map(String::valueOf).collect(Collectors.joining(", ")),
                        REACHED,
                        BUDGET,
                        SENT,
                        RECEIVED,
                        RoutingGuard.MARK,
                        packetsPerSecond,
                        CLOSED);
    }
}
