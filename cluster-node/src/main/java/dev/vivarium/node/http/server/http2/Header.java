package dev.vivarium.node.http.server.http2;

/**
 * One line of a head.
 *
 * @param name its name, in lower case
 * @param value its value
 */
record Header(String name, String value) {}
