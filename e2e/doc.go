// Package e2e holds the tests that drive the really built binary: a Caddy with imageorigin, on free ports, asked over
// HTTP. It is a module of its own, so that what it needs stays out of the server's dependencies.
//
// The binary is the one that the environment variable IMAGEORIGIN_CADDY names, else it is built from the main module.
package e2e
