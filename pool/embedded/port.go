package embedded

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
)

const loopback = "127.0.0.1"

// freePort returns a port that nobody listens on. It is not from the range
// from which the system numbers outgoing connections: there, one could get it
// while the server restarts.
func freePort() (int, error) {
	const lowest, tries = 15000, 200
	limit := max(firstOutgoingPort(), lowest+1000)
	for range tries {
		port := lowest + rand.IntN(limit-lowest)
		if portIsFree(port) == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port on %s from %d to %d", loopback, lowest, limit)
}

func portIsFree(port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}

// firstOutgoingPort is where Linux begins to number outgoing connections, or
// its default.
func firstOutgoingPort() int {
	const usual = 32768
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if errors.Is(err, os.ErrNotExist) {
		return usual
	}
	var first, last int
	if n, _ := fmt.Sscan(string(text), &first, &last); n != 2 {
		return usual
	}
	return first
}
