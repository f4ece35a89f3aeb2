/** How the API proves to its clients whose node it is: certificate and key of TLS, and their replacement while it runs. */
@NullMarked
package dev.vivarium.node.http.tls;

import org.jspecify.annotations.NullMarked;
