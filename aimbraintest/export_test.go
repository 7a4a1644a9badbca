package aimbraintest

import (
	"context"
	"net"
)

// Dial returns a connection of the kind that Transport uses.
func (f *Fake) Dial(ctx context.Context) (net.Conn, error) { return f.listener.dial(ctx, "", "") }

// SizeOf returns the bytes that a recorded request counts for.
func SizeOf(r Request) int { return r.size() }

// HandlerPaths returns the endpoints that have a handler.
func HandlerPaths() []string {
	var paths []string
	for _, h := range handlers() {
		paths = append(paths, h.path)
	}
	return paths
}
