package configs

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// longestSocket is how long a unix socket's path can be where it is shortest
// (macOS, BSD: 104 bytes with the final zero; Linux: 108).
const longestSocket = 103

// longestKeepAlive is what Linux takes, rounded down: 32767 seconds.
const longestKeepAlive = 9 * time.Hour

func (c check) listen() {
	l := c.cfg.Listen
	if len(l.Addresses) == 0 {
		c.missing("listen.addresses", "no address to listen on", "give at least one: [127.0.0.1:6432]")
	}
	seen := make(map[string]int)
	for i, a := range l.Addresses {
		path := fmt.Sprintf("listen.addresses[%d]", i)
		if c.errs.under(path) {
			continue
		}
		if first, again := seen[a]; again && !anyPort(a) {
			c.wrong(path, fmt.Sprintf("the same address as listen.addresses[%d]", first), "remove one of them")
			continue
		}
		seen[a] = i
		c.address(path, a)
	}
	c.between("listen.unix_port", l.UnixPort, 1, 65535)
	c.between("listen.loops", l.Loops, 0, 1024)
	c.keepAlive()
}

// keepAlive wants what Linux takes.
func (c check) keepAlive() {
	l := c.cfg.Listen
	c.notNegative("listen.keepalive", l.KeepAlive, "for none")
	c.notAbove("listen.keepalive", l.KeepAlive, longestKeepAlive)
	c.positive("listen.keepalive_interval", l.KeepAliveInterval)
	c.notAbove("listen.keepalive_interval", l.KeepAliveInterval, longestKeepAlive)
	c.between("listen.keepalive_count", l.KeepAliveCount, 1, 127)
	c.notNegative("listen.user_timeout", l.UserTimeout, "for the system's")
}

// notAbove wants a duration that systems allow.
func (c check) notAbove(path string, d, most time.Duration) {
	if d > most {
		c.wrong(path, d.String()+" is too long", "use at most "+most.String())
	}
}

// address wants host:port or the absolute directory of a unix socket.
func (c check) address(path, a string) {
	if !strings.Contains(a, "/") {
		c.hostPort(path, a, "write host:port, such as 127.0.0.1:6432, or the absolute directory of a unix socket")
		return
	}
	if !filepath.IsAbs(a) {
		c.wrong(path, c.quote(path, a)+" is not an absolute directory", "write the directory of the unix socket from the root, such as /var/run/pgjay")
		return
	}
	if socket := fmt.Sprintf("%s/.s.PGSQL.%d", filepath.Clean(a), c.cfg.Listen.UnixPort); len(socket) > longestSocket {
		c.wrong(path, fmt.Sprintf("the unix socket's path would have %d bytes; systems allow %d", len(socket), longestSocket), "use a shorter directory")
	}
}

// hostPort wants host:port, host perhaps empty or an IPv6 address in brackets.
func (c check) hostPort(path, a, fix string) {
	host, port, err := net.SplitHostPort(a)
	if err != nil {
		if net.ParseIP(a) != nil && strings.Contains(a, ":") {
			fix = "put the IPv6 address in brackets and add the port: \"[" + a + "]:6432\""
		}
		c.wrong(path, c.quote(path, a)+" is not host:port", fix)
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 || port[0] == '+' {
		c.wrong(path, c.quote(path, a)+" has no port from 0 to 65535", "write a port number after the colon; 0 lets the system choose")
	}
	if strings.ContainsAny(host, " \t\r\n*@") {
		c.wrong(path, c.quote(path, a)+" has no proper host", "write an IP address or a name; 0.0.0.0 is every IPv4 address, and no host is every address")
	}
}

func (c check) admin() {
	a := c.cfg.Admin
	if a == "" || c.errs.under("admin") {
		return
	}
	c.hostPort("admin", a, `write host:port, such as 127.0.0.1:9432, or "" for none`)
	for i, l := range c.cfg.Listen.Addresses {
		if a == l && !anyPort(a) {
			c.wrong("admin", fmt.Sprintf("the same address as listen.addresses[%d]", i), "use another port: metrics are HTTP, clients are not")
			return
		}
	}
}

// anyPort reports whether the system chooses a's port.
func anyPort(a string) bool { return strings.HasSuffix(a, ":0") }
