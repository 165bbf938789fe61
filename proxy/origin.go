package proxy

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// origin is where a client comes from. It does not change, but for tls, which is set
// before the login.
type origin struct {
	remote    endpoint
	client    netip.Addr // not valid on a Unix socket
	connected time.Time
	tls       string // version and cipher; empty: none
}

// endpoint is an end of a client's socket.
type endpoint struct {
	address string // an IP, or unix
	port    int
}

// String is the address with the port.
func (e endpoint) String() string {
	if e.address == "unix" {
		return e.address
	}
	return net.JoinHostPort(e.address, strconv.Itoa(e.port))
}

// newOrigin describes a client's socket. unixPort stands for the port of unix sockets.
func newOrigin(nc net.Conn, unixPort int) *origin {
	o := &origin{remote: newEndpoint(nc.RemoteAddr(), unixPort), connected: time.Now()}
	if tcp, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		o.client = tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return o
}

func newEndpoint(a net.Addr, unixPort int) endpoint {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return endpoint{tcp.IP.String(), tcp.Port}
	}
	return endpoint{"unix", unixPort}
}

// encryptedBy names the protocol and the cipher as PgBouncer does.
func encryptedBy(state *tls.ConnectionState) string {
	return tls.VersionName(state.Version) + "/" + tls.CipherSuiteName(state.CipherSuite)
}

// parseEndpoint reads the address of a socket as text.
func parseEndpoint(text string) endpoint {
	if host, port, err := net.SplitHostPort(text); err == nil {
		n, _ := strconv.Atoi(port)
		return endpoint{host, n}
	}
	return endpoint{address: "unix"}
}
