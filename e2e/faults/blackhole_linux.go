package faults

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// CanBlackHole says whether [BlackHole] works here.
const CanBlackHole = true

// swallow listens at addr with a queue that is full: Linux then drops what asks for a connection, unanswered.
func swallow(addr string) (io.Closer, error) {
	parsed, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	h := &hole{fd: fd}
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		h.Close()
		return nil, os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(parsed.Port()), Addr: parsed.Addr().As4()}); err != nil {
		h.Close()
		return nil, os.NewSyscallError("bind", err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		h.Close()
		return nil, os.NewSyscallError("listen", err)
	}
	for range 16 {
		conn, err := net.DialTimeout("tcp", addr, 100*time.Millisecond)
		var timeout net.Error
		switch {
		case err == nil:
			h.filling = append(h.filling, conn)
		case errors.As(err, &timeout) && timeout.Timeout():
			return h, nil
		default:
			h.Close()
			return nil, fmt.Errorf("filling the queue: %w", err)
		}
	}
	h.Close()
	return nil, errors.New("the queue never fills")
}

// hole is a listening socket and the connections that fill its queue.
type hole struct {
	fd      int
	filling []net.Conn
}

// Close frees the address.
func (h *hole) Close() error {
	for _, conn := range h.filling {
		_ = conn.(*net.TCPConn).SetLinger(0) // so that none lingers at the address
		conn.Close()
	}
	return syscall.Close(h.fd)
}
