// Command port answers the two questions that xcaddy.sh has about a TCP port, for which a bare machine has no tool that
// is always there: is it free, and does a web server answer on it yet?
//
//	port free ADDRESS...     prints a line for each address that is taken, and ends with status 1 if there is one
//	port wait PID URL TIME   waits until URL answers; ends with status 1 after TIME, or when the process PID is gone
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) >= 2 && args[0] == "free":
		return free(args[1:])
	case len(args) == 4 && args[0] == "wait":
		pid, err := strconv.Atoi(args[1])
		if err != nil {
			return fmt.Errorf("reading the process number: %w", err)
		}
		limit, err := time.ParseDuration(args[3])
		if err != nil {
			return fmt.Errorf("reading the time to wait: %w", err)
		}
		return wait(pid, args[2], limit)
	default:
		return errors.New("usage: port free ADDRESS... | port wait PID URL TIME")
	}
}

func free(addresses []string) error {
	var faults []error
	for _, address := range addresses {
		if err := listenable(address); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", address, err))
		}
	}
	return errors.Join(faults...)
}

// listenable tries both ways to find a listener. Caddy lets several processes share a port (SO_REUSEPORT), so a second
// server would start without a word and take every other request; and some systems let a wildcard listener stand beside
// one on a single address, which only a connection finds.
func listenable(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	c, err := net.DialTimeout("tcp", net.JoinHostPort("localhost", port), time.Second)
	if err != nil {
		return nil // refused: as it should be
	}
	if err := c.Close(); err != nil {
		return err
	}
	return errors.New("something answers there")
}

// wait takes any answer for an answer, an error page too: what is served is not its business.
func wait(pid int, url string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
		if err != nil {
			return err
		}
		// Straight to the server: a proxy of the environment would answer for one that isn't there.
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err == nil {
			return resp.Body.Close()
		}
		if syscall.Kill(pid, 0) != nil {
			return fmt.Errorf("process %d ended before %s answered", pid, url)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer after %s: %w", url, limit, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
