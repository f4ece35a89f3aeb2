/**
 * Sandboxes that have booted and wait for a run: how many of which kind, and who takes one. Between the sandbox, which takes, and
 * the driver, which creates.
 */
package dev.vivarium.node.pool;
