package dev.vivarium.protocol.egress;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A block of IPv4 addresses, or one address.
 *
 * @param network the first address, its four bytes in network order
 * @param prefixLength the number of leading bits that all its addresses share; 32 for one address
 */
public record Ipv4Block(int network, int prefixLength) {
    // No leading zeros: some programs would read them as octal.
    private static final String OCTET = "(0|[1-9][0-9]{0,2})";
    private static final Pattern SHAPE =
            Pattern.compile(OCTET + "\\." + OCTET + "\\." + OCTET + "\\." + OCTET + "(?:/(0|[1-9][0-9]?))?");
    private static final Pattern DIGITS_AND_DOTS = Pattern.compile("[0-9.]+");

    public Ipv4Block {
        if (prefixLength < 0 || prefixLength > Integer.SIZE) {
            throw new IllegalArgumentException("has a prefix that is not from 0 to 32");
        }
        if ((network & mask(prefixLength)) != network) {
            throw new IllegalArgumentException("has bits beyond its prefix: write "
                    + dotted(network & mask(prefixLength)) + "/" + prefixLength + ", or " + dotted(network)
                    + " for the one address");
        }
    }

    /** A block of a single address. */
    public static Ipv4Block ofAddress(int address) {
        return new Ipv4Block(address, Integer.SIZE);
    }

    /**
     * Parses {@code 203.0.113.0/24} or {@code 203.0.113.7}.
     *
     * @throws IllegalArgumentException with a predicate to follow the field's name
     */
    public static Ipv4Block parse(String text) {
        Matcher matcher = SHAPE.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "must be an IPv4 address in four decimal numbers, or such a block, as 203.0.113.7 or 203.0.113.0/24");
        }
        int address = 0;
        for (int group = 1; group <= Integer.BYTES; group++) {
            int octet = Integer.parseInt(matcher.group(group));
            if (octet > 0xff) {
                throw new IllegalArgumentException("has a number above 255, which no IPv4 address has");
            }
            address = address << Byte.SIZE | octet;
        }
        String prefix = matcher.group(Integer.BYTES + 1);
        return new Ipv4Block(address, prefix == null ? Integer.SIZE : Integer.parseInt(prefix));
    }

    /** Whether the text is meant as an address, valid or not. */
    static boolean looksLikeAddress(String text) {
        return DIGITS_AND_DOTS.matcher(text).matches();
    }

    /** Whether this block contains the whole other block. */
    public boolean contains(Ipv4Block other) {
        return other.prefixLength >= prefixLength && (other.network & mask(prefixLength)) == network;
    }

    /** Whether the blocks have an address in common. Of two such blocks one contains the other. */
    public boolean overlaps(Ipv4Block other) {
        return contains(other) || other.contains(this);
    }

    /** The canonical text, without a prefix for a single address. */
    @Override
    public String toString() {
        return prefixLength == Integer.SIZE ? dotted(network) : dotted(network) + "/" + prefixLength;
    }

    private static int mask(int prefixLength) {
        return prefixLength == 0 ? 0 : -1 << (Integer.SIZE - prefixLength);
    }

    private static String dotted(int address) {
        return (address >>> 24) + "." + (address >>> 16 & 0xff) + "." + (address >>> 8 & 0xff) + "." + (address & 0xff);
    }
}
