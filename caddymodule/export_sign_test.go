package caddymodule

import (
	"strings"
	"time"
)

// Sign runs `caddy imageorigin sign` on a config in JSON and returns what it prints.
func Sign(config, host, endpoint string, now time.Time, expires string, ours bool, url string) (string, error) {
	var out strings.Builder
	j := &signJob{config: []byte(config), host: host, endpoint: endpoint, now: now}
	err := j.sign(&out, url, expires, ours)
	return strings.TrimSpace(out.String()), err
}

// Verify runs `caddy imageorigin verify` on a config in JSON and returns what it prints.
func Verify(config, host, endpoint string, now time.Time, url string) (string, error) {
	var out strings.Builder
	j := &signJob{config: []byte(config), host: host, endpoint: endpoint, now: now}
	err := j.verify(&out, url)
	return out.String(), err
}
