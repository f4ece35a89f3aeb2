package dev.vivarium.node.certificates;

import java.security.cert.X509Certificate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1String;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.style.BCStyle;

/**
 * The subject of a certificate by its attributes, none of which is overlooked: neither the second of a kind, nor one of several
 * in one relative name ({@code CN=a+CN=b}). The text is what the certificate says, unescaped and not normalized.
 */
public final class Subject {
    private static final Map<String, ASN1ObjectIdentifier> KINDS = kinds();

    private Subject() {}

    private static Map<String, ASN1ObjectIdentifier> kinds() {
        Map<String, ASN1ObjectIdentifier> kinds = new LinkedHashMap<>();
        kinds.put("CN", BCStyle.CN);
        kinds.put("O", BCStyle.O);
        kinds.put("OU", BCStyle.OU);
        kinds.put("C", BCStyle.C);
        kinds.put("ST", BCStyle.ST);
        kinds.put("L", BCStyle.L);
        kinds.put("DC", BCStyle.DC);
        kinds.put("UID", BCStyle.UID);
        kinds.put("SERIALNUMBER", BCStyle.SERIALNUMBER);
        return kinds;
    }

    /** The names of the attributes that are looked at, comma-separated, for users. */
    public static String names() {
        return String.join(", ", KINDS.keySet());
    }

    /** Whether an attribute of this name, in capitals, is looked at. */
    public static boolean isAttribute(String name) {
        return KINDS.containsKey(name);
    }

    /**
     * The attributes by their names: each a text, or a list of texts where there are several of a kind. What is no text
     * counts as an empty one.
     */
    public static Map<String, Object> attributes(X509Certificate certificate) {
        X500Name subject =
                X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
        Map<ASN1ObjectIdentifier, List<String>> found = Stream.of(subject.getRDNs())
                .flatMap(name -> Stream.of(name.getTypesAndValues()))
                .collect(Collectors.groupingBy(
                        attribute -> attribute.getType(),
                        Collectors.mapping(attribute -> text(attribute.getValue()), Collectors.toList())));
        Map<String, Object> attributes = new LinkedHashMap<>();
        KINDS.forEach((name, kind) -> Optional.ofNullable(found.get(kind))
                .ifPresent(texts -> attributes.put(name, texts.size() == 1 ? texts.get(0) : texts)));
        return attributes;
    }

    private static String text(ASN1Encodable value) {
        return value instanceof ASN1String text ? text.getString() : "";
    }
}
